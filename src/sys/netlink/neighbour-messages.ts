/** `rtnetlink(7)` requests about a bridge's forwarding table. Pure. */
import { macBytes } from './link-messages.ts';
import { MessageFlag, MessageType, type NetlinkRequest } from './netlink-message.ts';

const NEIGHBOUR_BODY_BYTES = 12;
const FAMILY_BRIDGE = 7;
/** `NUD_NOARP`: does not age and is not learned anew. */
const STATE_STATIC = 0x40;
/** `NTF_MASTER`: the entry belongs to the bridge that the link is a port of. */
const FLAG_MASTER = 0x4;
const LINK_LAYER_ADDRESS = 2;

/**
 * Pins a hardware address to a port of a bridge, replacing what the bridge had learned. Needed when an address
 * is used again at once: the bridge would go on sending to the port of the container that had it before.
 */
export function pinToPortRequest(linkIndex: number, macAddress: string): NetlinkRequest {
  const body = Buffer.alloc(NEIGHBOUR_BODY_BYTES);
  body.writeUInt8(FAMILY_BRIDGE, 0);
  body.writeInt32LE(linkIndex, 4);
  body.writeUInt16LE(STATE_STATIC, 8);
  body.writeUInt8(FLAG_MASTER, 10);
  return {
    purpose: `pin ${macAddress} to its port`,
    type: MessageType.newNeighbour,
    flags: MessageFlag.ack | MessageFlag.create | MessageFlag.replace,
    body,
    attributes: [{ type: LINK_LAYER_ADDRESS, value: macBytes(macAddress) }],
  };
}
