/** `rtnetlink(7)` requests about links (network interfaces) and the reader of the kernel's answers. Pure. */
import {
  type Attribute,
  decodeAttributes,
  encodeAttributes,
  MessageFlag,
  MessageType,
  type NetlinkMessage,
  type NetlinkRequest,
  numberValue,
  textOf,
  textValue,
} from './netlink-message.ts';

/** An interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  readonly isUp: boolean;
  readonly mtu: number;
  /** Lower case with colons; empty for links without one. */
  readonly macAddress: string;
  /** Index of the bridge that it is a port of; 0 for none. */
  readonly masterIndex: number;
}

/** A pair of virtual interfaces: one here, its peer in another namespace. Both begin with the given settings. */
export interface VethRequest {
  readonly name: string;
  readonly mtu: number;
  readonly peer: {
    readonly name: string;
    /** Descriptor of the network namespace that the peer is born in. */
    readonly namespaceFd: number;
    readonly macAddress: string;
  };
}

const LINK_BODY_BYTES = 16;
const FLAG_UP = 1;
const LinkAttribute = {
  address: 1,
  name: 3,
  mtu: 4,
  master: 10,
  /** `IFLA_PROTINFO`: settings of a bridge's port, for requests of the bridge family. */
  portSettings: 12,
  info: 18,
  namespaceFd: 28,
} as const;
const InfoAttribute = { kind: 1, data: 2 } as const;
const VETH_PEER = 1;
const FAMILY_BRIDGE = 7;
/** `NLA_F_NESTED`, which the bridge's port settings must carry. */
const NESTED = 0x8000;
/** `IFLA_BRPORT_ISOLATED` of `linux/if_link.h`. */
const PORT_ISOLATED = 33;

/** The index of `lo`, the same in every network namespace. */
export const LOOPBACK_INDEX = 1;

/** `struct ifinfomsg`: `index` 0 leaves the choice to the kernel or to the name attribute. */
function linkBody(index: number, options: { up: boolean }): Buffer {
  const body = Buffer.alloc(LINK_BODY_BYTES);
  body.writeInt32LE(index, 4);
  body.writeUInt32LE(options.up ? FLAG_UP : 0, 8);
  body.writeUInt32LE(options.up ? FLAG_UP : 0, 12);
  return body;
}

/** A new bridge, up from the start. Fails with EEXIST when the name is taken. */
export function addBridgeRequest(bridge: {
  readonly name: string;
  readonly mtu: number;
  readonly macAddress: string;
}): NetlinkRequest {
  return {
    purpose: `create bridge ${bridge.name}`,
    type: MessageType.newLink,
    flags: MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive,
    body: linkBody(0, { up: true }),
    attributes: [
      { type: LinkAttribute.name, value: textValue(bridge.name) },
      { type: LinkAttribute.mtu, value: numberValue(bridge.mtu) },
      { type: LinkAttribute.address, value: macBytes(bridge.macAddress) },
      {
        type: LinkAttribute.info,
        value: [{ type: InfoAttribute.kind, value: textValue('bridge') }],
      },
    ],
  };
}

/** A new veth pair in one request, so that no half of it is ever seen unfinished. The near end is up. */
export function addVethRequest(veth: VethRequest): NetlinkRequest {
  const peerAttributes: Attribute[] = [
    { type: LinkAttribute.name, value: textValue(veth.peer.name) },
    { type: LinkAttribute.mtu, value: numberValue(veth.mtu) },
    { type: LinkAttribute.address, value: macBytes(veth.peer.macAddress) },
    { type: LinkAttribute.namespaceFd, value: numberValue(veth.peer.namespaceFd) },
  ];
  return {
    purpose: `create link ${veth.name}`,
    type: MessageType.newLink,
    flags: MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive,
    body: linkBody(0, { up: true }),
    attributes: [
      { type: LinkAttribute.name, value: textValue(veth.name) },
      { type: LinkAttribute.mtu, value: numberValue(veth.mtu) },
      {
        type: LinkAttribute.info,
        value: [
          { type: InfoAttribute.kind, value: textValue('veth') },
          { type: InfoAttribute.data, value: [vethPeer(peerAttributes)] },
        ],
      },
    ],
  };
}

/** The peer is described by a link structure of its own followed by its attributes. */
function vethPeer(attributes: readonly Attribute[]): Attribute {
  return {
    type: VETH_PEER,
    value: Buffer.concat([linkBody(0, { up: false }), encodeAttributes(attributes)]),
  };
}

/** Brings a link up. */
export function linkUpRequest(index: number): NetlinkRequest {
  return {
    purpose: `set link ${index} up`,
    type: MessageType.newLink,
    flags: MessageFlag.ack,
    body: linkBody(index, { up: true }),
    attributes: [],
  };
}

/**
 * Makes a link a port of a bridge. A link that has its carrier by then forwards from the first frame on; one
 * that gets it later waits for the kernel's link watch.
 */
export function setMasterRequest(link: Link, masterIndex: number): NetlinkRequest {
  return {
    purpose: `join link ${link.name} to its bridge`,
    type: MessageType.newLink,
    flags: MessageFlag.ack,
    body: linkBody(link.index, { up: false }),
    attributes: [{ type: LinkAttribute.master, value: numberValue(masterIndex) }],
  };
}

/** Sets a bridge port apart: it exchanges no frame with other ports that are set apart. */
export function isolatePortRequest(link: Link): NetlinkRequest {
  const body = linkBody(link.index, { up: false });
  body.writeUInt8(FAMILY_BRIDGE, 0);
  return {
    purpose: `isolate port ${link.name}`,
    type: MessageType.newLink,
    flags: MessageFlag.ack,
    body,
    attributes: [
      {
        type: LinkAttribute.portSettings | NESTED,
        value: [{ type: PORT_ISOLATED, value: Buffer.from([1]) }],
      },
    ],
  };
}

/** Removes a link by name; both ends of a veth pair go. Fails with ENODEV when it is gone. */
export function deleteLinkRequest(name: string): NetlinkRequest {
  return {
    purpose: `delete link ${name}`,
    type: MessageType.deleteLink,
    flags: MessageFlag.ack,
    body: linkBody(0, { up: false }),
    attributes: [{ type: LinkAttribute.name, value: textValue(name) }],
  };
}

/** Asks for one link by name. Fails with ENODEV when there is none. */
export function getLinkRequest(name: string): NetlinkRequest {
  return {
    purpose: `get link ${name}`,
    type: MessageType.getLink,
    flags: MessageFlag.ack,
    body: linkBody(0, { up: false }),
    attributes: [{ type: LinkAttribute.name, value: textValue(name) }],
  };
}

/** Asks for all links of the namespace. */
export function listLinksRequest(): NetlinkRequest {
  return {
    purpose: 'list links',
    type: MessageType.getLink,
    flags: MessageFlag.dump,
    body: linkBody(0, { up: false }),
    attributes: [],
  };
}

/** The link that an answer describes; undefined for messages of another type. */
export function decodeLink(message: NetlinkMessage): Link | undefined {
  if (message.type !== MessageType.newLink || message.payload.length < LINK_BODY_BYTES) {
    return undefined;
  }
  const attributes = decodeAttributes(message.payload.subarray(LINK_BODY_BYTES));
  return {
    index: message.payload.readInt32LE(4),
    name: textOf(attributes.get(LinkAttribute.name)),
    isUp: (message.payload.readUInt32LE(8) & FLAG_UP) !== 0,
    mtu: numberOf(attributes.get(LinkAttribute.mtu)),
    macAddress: formatMac(attributes.get(LinkAttribute.address)),
    masterIndex: numberOf(attributes.get(LinkAttribute.master)),
  };
}

/** The six bytes of `aa:bb:cc:dd:ee:ff`. */
export function macBytes(macAddress: string): Buffer {
  return Buffer.from(macAddress.replaceAll(':', ''), 'hex');
}

function formatMac(bytes: Buffer | undefined): string {
  return (bytes?.toString('hex').match(/../g) ?? []).join(':');
}

function numberOf(value: Buffer | undefined): number {
  return value === undefined || value.length < 4 ? 0 : value.readUInt32LE(0);
}
