/** `rtnetlink(7)` requests that steer some IPv4 packets to this machine itself. Pure. */
import { ipv4Bytes } from './ipv4.ts';
import { LOOPBACK_INDEX } from './link-messages.ts';
import { MessageFlag, MessageType, type NetlinkRequest, numberValue } from './netlink-message.ts';

/** Packets with this mark, or from this address, are routed by this table. */
export interface RoutePolicy {
  readonly mark?: number;
  readonly from?: number;
  /** Number of the routing table, 1 to 252. */
  readonly table: number;
}

const FAMILY_IPV4 = 2;
const BODY_BYTES = 12;
const RouteAttribute = { outLink: 4 } as const;
const RuleAttribute = { source: 2, mark: 10, table: 15, markMask: 16 } as const;
const WHOLE_ADDRESS = 32;
/** `RTPROT_BOOT`: as `ip route add` marks it. */
const PROTOCOL_BOOT = 3;
const SCOPE_HOST = 254;
const TYPE_LOCAL = 2;
/** `FR_ACT_TO_TBL`. */
const ACTION_TABLE = 1;
const NEW_AND_ACKNOWLEDGED = MessageFlag.ack | MessageFlag.create | MessageFlag.exclusive;

/** Lets the table decide about the packets of a policy. Fails with EEXIST when it does. */
export function addRuleRequest({ mark, from, table }: RoutePolicy): NetlinkRequest {
  const header = body(table, { protocol: 0, scope: 0, type: ACTION_TABLE });
  if (from !== undefined) header.writeUInt8(WHOLE_ADDRESS, 2);
  return {
    purpose: `route packets by table ${table}`,
    type: MessageType.newRule,
    flags: NEW_AND_ACKNOWLEDGED,
    body: header,
    attributes: [
      { type: RuleAttribute.table, value: numberValue(table) },
      ...(from === undefined ? [] : [{ type: RuleAttribute.source, value: ipv4Bytes(from) }]),
      ...(mark === undefined ? [] : markAttributes(mark)),
    ],
  };
}

function markAttributes(mark: number) {
  return [
    { type: RuleAttribute.mark, value: numberValue(mark) },
    { type: RuleAttribute.markMask, value: numberValue(0xffffffff) },
  ];
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
