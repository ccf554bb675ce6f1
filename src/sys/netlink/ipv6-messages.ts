/** `rtnetlink(7)` requests about IPv6 addresses and routes. Pure. */
import {
  AddressAttribute,
  addressBody,
  defaultRouteFlags,
  RouteAttribute,
  type RouteVerb,
  routeBody,
} from './address-messages.ts';
import { formatIpv6Prefix, type Ipv6Prefix, ipv6Bytes } from './ipv6.ts';
import { MessageFlag, MessageType, type NetlinkRequest, numberValue } from './netlink-message.ts';

/** An IPv6 address of an interface. */
export interface Ipv6LinkAddress {
  readonly linkIndex: number;
  readonly prefix: Ipv6Prefix;
}

const FAMILY_IPV6 = 10;
/** `IFA_F_NODAD`: the address can be used at once; we know that nobody else has it. */
const WITHOUT_DETECTION = 2;

/** Gives a link an address that can be used at once. Fails with EEXIST when it has it. */
export function addIpv6AddressRequest({ linkIndex, prefix }: Ipv6LinkAddress): NetlinkRequest {
  const body = addressBody(linkIndex, prefix.prefixLength, FAMILY_IPV6);
  body.writeUInt8(WITHOUT_DETECTION, 2);
  return {
    purpose: `add address ${formatIpv6Prefix(prefix)}`,
    type: MessageType.newAddress,
    flags: MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive,
    body,
    attributes: [{ type: AddressAttribute.local, value: ipv6Bytes(prefix.address) }],
  };
}

/** Takes an address away. Fails with EADDRNOTAVAIL when the link lacks it. */
export function deleteIpv6AddressRequest({ linkIndex, prefix }: Ipv6LinkAddress): NetlinkRequest {
  return {
    purpose: `delete address ${formatIpv6Prefix(prefix)}`,
    type: MessageType.deleteAddress,
    flags: MessageFlag.ack,
    body: addressBody(linkIndex, prefix.prefixLength, FAMILY_IPV6),
    attributes: [{ type: AddressAttribute.local, value: ipv6Bytes(prefix.address) }],
  };
}

/** The IPv6 default route through `gateway`, which must be on the link. */
export function ipv6DefaultRouteRequest(
  verb: RouteVerb,
  gateway: bigint,
  linkIndex: number,
): NetlinkRequest {
  return {
    purpose: `${verb} IPv6 default route`,
    type: MessageType.newRoute,
    flags: defaultRouteFlags(verb),
    body: routeBody(FAMILY_IPV6),
    attributes: [
      { type: RouteAttribute.gateway, value: ipv6Bytes(gateway) },
      { type: RouteAttribute.outLink, value: numberValue(linkIndex) },
    ],
  };
}

/** Takes the IPv6 default routes of a link away. Fails with ESRCH when there is none. */
export function deleteIpv6DefaultRouteRequest(linkIndex: number): NetlinkRequest {
  return {
    purpose: 'delete IPv6 default route',
    type: MessageType.deleteRoute,
    flags: MessageFlag.ack,
    body: routeBody(FAMILY_IPV6),
    attributes: [{ type: RouteAttribute.outLink, value: numberValue(linkIndex) }],
  };
}
