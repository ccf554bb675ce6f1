/** `rtnetlink(7)` requests that steer marked IPv4 packets to this machine itself. Pure. */
import { LOOPBACK_INDEX } from './link-messages.ts';
import { MessageFlag, MessageType, type NetlinkRequest, numberValue } from './netlink-message.ts';

/** Packets with this mark are routed by this table. */
export interface MarkPolicy {
  readonly mark: number;
  /** Number of the routing table, 1 to 252. */
  readonly table: number;
}

const FAMILY_IPV4 = 2;
const BODY_BYTES = 12;
const RouteAttribute = { outLink: 4 } as const;
const RuleAttribute = { mark: 10, table: 15, markMask: 16 } as const;
/** `RTPROT_BOOT`: as `ip route add` marks it. */
const PROTOCOL_BOOT = 3;
const SCOPE_HOST = 254;
const TYPE_LOCAL = 2;
/** `FR_ACT_TO_TBL`. */
const ACTION_TABLE = 1;
const NEW_AND_ACKNOWLEDGED = MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive;

/** Lets the table decide about marked packets. Fails with EEXIST when it does. */
export function addMarkRuleRequest({ mark, table }: MarkPolicy): NetlinkRequest {
  return {
    purpose: `route packets marked ${mark} by table ${table}`,
    type: MessageType.newRule,
    flags: NEW_AND_ACKNOWLEDGED,
    body: body(table, { protocol: 0, scope: 0, type: ACTION_TABLE }),
    attributes: [
      { type: RuleAttribute.table, value: numberValue(table) },
      { type: RuleAttribute.mark, value: numberValue(mark) },
      { type: RuleAttribute.markMask, value: numberValue(0xffffffff) },
    ],
  };
}

/** Makes every address one of this machine in that table. Fails with EEXIST when they are. */
export function addLocalRouteRequest(table: number): NetlinkRequest {
  return {
    purpose: `take all packets of table ${table}`,
    type: MessageType.newRoute,
    flags: NEW_AND_ACKNOWLEDGED,
    body: body(table, { protocol: PROTOCOL_BOOT, scope: SCOPE_HOST, type: TYPE_LOCAL }),
    attributes: [{ type: RouteAttribute.outLink, value: numberValue(LOOPBACK_INDEX) }],
  };
}

/** `struct rtmsg`, which `struct fib_rule_hdr` shares but for the names of its members. */
function body(
  table: number,
  kind: { readonly protocol: number; readonly scope: number; readonly type: number },
): Buffer {
  const bytes = Buffer.alloc(BODY_BYTES);
  bytes.writeUInt8(FAMILY_IPV4, 0);
  bytes.writeUInt8(table, 4);
  bytes.writeUInt8(kind.protocol, 5);
  bytes.writeUInt8(kind.scope, 6);
  bytes.writeUInt8(kind.type, 7);
  return bytes;
}
