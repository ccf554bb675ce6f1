/** `rtnetlink(7)` requests about IPv4 addresses and routes, and the readers of the kernel's answers. Pure. */
import { formatPrefix, type Ipv4Prefix, ipv4Bytes, lastAddressOf } from './ipv4.ts';
import {
  type Attribute,
  decodeAttributes,
  MessageFlag,
  MessageType,
  type NetlinkMessage,
  type NetlinkRequest,
  numberValue,
} from './netlink-message.ts';

/** An address of an interface. */
export interface LinkAddress {
  readonly linkIndex: number;
  readonly prefix: Ipv4Prefix;
}

/** A route of the main table; a prefix length of 0 is the default route. */
export interface Route {
  readonly destination: Ipv4Prefix;
  readonly linkIndex: number;
}

const FAMILY_IPV4 = 2;
const ADDRESS_BODY_BYTES = 8;
const ROUTE_BODY_BYTES = 12;
/** Attributes of addresses, in both families. */
export const AddressAttribute = { address: 1, local: 2, broadcast: 4 } as const;
/** Attributes of routes, in both families. */
export const RouteAttribute = { destination: 1, outLink: 4, gateway: 5 } as const;
const MAIN_TABLE = 254;
/** `RTPROT_BOOT`: as `ip route add` marks it. */
const PROTOCOL_BOOT = 3;
const TYPE_UNICAST = 1;

/** Gives a link an address; the kernel adds the route to its prefix. Fails with EEXIST when it has it. */
export function addAddressRequest(address: LinkAddress): NetlinkRequest {
  const { linkIndex, prefix } = address;
  return {
    purpose: `add address ${formatPrefix(prefix)}`,
    type: MessageType.newAddress,
    flags: MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive,
    body: addressBody(linkIndex, prefix.prefixLength),
    attributes: [
      { type: AddressAttribute.local, value: ipv4Bytes(prefix.address) },
      { type: AddressAttribute.address, value: ipv4Bytes(prefix.address) },
      { type: AddressAttribute.broadcast, value: ipv4Bytes(lastAddressOf(prefix)) },
    ],
  };
}

/** Takes an address away; the kernel drops its routes. Fails with EADDRNOTAVAIL when the link lacks it. */
export function deleteAddressRequest(address: LinkAddress): NetlinkRequest {
  const { linkIndex, prefix } = address;
  return {
    purpose: `delete address ${formatPrefix(prefix)}`,
    type: MessageType.deleteAddress,
    flags: MessageFlag.ack,
    body: addressBody(linkIndex, prefix.prefixLength),
    attributes: [
      { type: AddressAttribute.local, value: ipv4Bytes(prefix.address) },
      { type: AddressAttribute.address, value: ipv4Bytes(prefix.address) },
    ],
  };
}

/** Asks for the IPv4 addresses of all links. */
export function listAddressesRequest(): NetlinkRequest {
  return {
    purpose: 'list addresses',
    type: MessageType.getAddress,
    flags: MessageFlag.dump,
    body: addressBody(0, 0),
    attributes: [],
  };
}

/** Adds the default route through `gateway`, which must be on the link. Fails with EEXIST when there is one. */
export function addDefaultRouteRequest(gateway: number, linkIndex: number): NetlinkRequest {
  return defaultRouteRequest('add', gateway, linkIndex);
}

/** A default route in place of the present one, or as the first one. */
export function replaceDefaultRouteRequest(gateway: number, linkIndex: number): NetlinkRequest {
  return defaultRouteRequest('replace', gateway, linkIndex);
}

/** Whether a route is the first one, or takes the place of another. */
export type RouteVerb = 'add' | 'replace';

/** `add` fails with EEXIST when there is a route already. */
export function defaultRouteFlags(verb: RouteVerb): number {
  const how = verb === 'add' ? MessageFlag.exclusive : MessageFlag.replace;
  return MessageFlag.ack | MessageFlag.create | how;
}

function defaultRouteRequest(verb: RouteVerb, gateway: number, linkIndex: number): NetlinkRequest {
  const attributes: Attribute[] = [
    { type: RouteAttribute.gateway, value: ipv4Bytes(gateway) },
    { type: RouteAttribute.outLink, value: numberValue(linkIndex) },
  ];
  return {
    purpose: `${verb} default route`,
    type: MessageType.newRoute,
    flags: defaultRouteFlags(verb),
    body: routeBody(),
    attributes,
  };
}

/** Asks for the IPv4 routes of all tables. */
export function listRoutesRequest(): NetlinkRequest {
  return {
    purpose: 'list routes',
    type: MessageType.getRoute,
    flags: MessageFlag.dump,
    body: routeBody(),
    attributes: [],
  };
}

/** The address that an answer describes; undefined for messages of another type or family. */
export function decodeAddress(message: NetlinkMessage): LinkAddress | undefined {
  const { payload, type } = message;
  if (type !== MessageType.newAddress || payload.length < ADDRESS_BODY_BYTES) return undefined;
  const attributes = decodeAttributes(payload.subarray(ADDRESS_BODY_BYTES));
  const local = attributes.get(AddressAttribute.local) ?? attributes.get(AddressAttribute.address);
  if (payload[0] !== FAMILY_IPV4 || local?.length !== 4) return undefined;
  return {
    linkIndex: payload.readUInt32LE(4),
    prefix: { address: local.readUInt32BE(0), prefixLength: payload.readUInt8(1) },
  };
}

/** The route that an answer describes; undefined unless it is an IPv4 route of the main table. */
export function decodeRoute(message: NetlinkMessage): Route | undefined {
  const { payload, type } = message;
  if (type !== MessageType.newRoute || payload.length < ROUTE_BODY_BYTES) return undefined;
  if (payload[0] !== FAMILY_IPV4 || payload[4] !== MAIN_TABLE) return undefined;
  const attributes = decodeAttributes(payload.subarray(ROUTE_BODY_BYTES));
  return {
    destination: {
      address: attributes.get(RouteAttribute.destination)?.readUInt32BE(0) ?? 0,
      prefixLength: payload.readUInt8(1),
    },
    linkIndex: attributes.get(RouteAttribute.outLink)?.readUInt32LE(0) ?? 0,
  };
}

/** `struct ifaddrmsg`, global scope. */
export function addressBody(linkIndex: number, prefixLength: number, family = FAMILY_IPV4): Buffer {
  const body = Buffer.alloc(ADDRESS_BODY_BYTES);
  body.writeUInt8(family, 0);
  body.writeUInt8(prefixLength, 1);
  body.writeUInt32LE(linkIndex, 4);
  return body;
}

/** `struct rtmsg` of a unicast route to everywhere in the main table. */
export function routeBody(family = FAMILY_IPV4): Buffer {
  const body = Buffer.alloc(ROUTE_BODY_BYTES);
  body.writeUInt8(family, 0);
  body.writeUInt8(MAIN_TABLE, 4);
  body.writeUInt8(PROTOCOL_BOOT, 5);
  body.writeUInt8(TYPE_UNICAST, 7);
  return body;
}
