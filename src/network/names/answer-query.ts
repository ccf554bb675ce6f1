/** Answers to DNS queries from what the engine knows. Pure. */
import { decode, encode, type Packet, RECURSION_AVAILABLE, RECURSION_DESIRED } from 'dns-packet';
import { formatIpv6 } from '../../sys/netlink/ipv6.ts';

/** What the engine knows, from the view of one container. */
export interface KnownNames {
  /** Undefined for a name that the engine does not know. */
  addressesOf(name: string): readonly string[] | undefined;
  nameOf(ipAddress: string): string | undefined;
}

/** How the query came. */
export type Transport = 'udp' | 'tcp';

/** As long as Docker lets clients keep an answer. */
const TTL_SECONDS = 600;
const PLAIN_UDP_BYTES = 512;
const EDNS_BYTES = 1232;
const IPV4_SUFFIX = '.in-addr.arpa';
const IPV6_SUFFIX = '.ip6.arpa';

/** Answer codes of RFC 1035, section 4.1.1. */
export const ResponseCode = { noError: 0, formatError: 1, serverFailure: 2 } as const;

/** The query in a datagram; undefined for anything that is none. */
export function decodeQuery(message: Buffer): Packet | undefined {
  try {
    const packet = decode(message);
    return packet.type === 'query' && packet.questions?.length === 1 ? packet : undefined;
  } catch {
    return undefined;
  }
}

/** The answer, or undefined when the question is one for the world outside. */
export function answerQuery(
  query: Packet,
  known: KnownNames,
  transport: Transport,
): Buffer | undefined {
  const [question] = query.questions ?? [];
  if (question === undefined) return undefined;
  const { name } = question;
  if (question.type === 'PTR') {
    const address = reverseAddress(name);
    const data = address === undefined ? undefined : known.nameOf(address);
    if (data === undefined) return undefined;
    return respond(query, transport, [{ type: 'PTR', name, ttl: TTL_SECONDS, data }]);
  }
  const addresses = known.addressesOf(name);
  if (addresses === undefined) return undefined;
  // The name is ours: whatever else is asked about it, the world outside knows nothing of it.
  const { type } = question;
  if (type !== 'A' && type !== 'AAAA') return respond(query, transport, []);
  const records = addresses.filter((address) => address.includes(':') === (type === 'AAAA'));
  return respond(
    query,
    transport,
    records.map((data) => ({ type, name, ttl: TTL_SECONDS, data })),
  );
}

/** An answer that only says that there is none. */
export function failQuery(query: Packet, code: number): Buffer {
  return encode({ ...responseTo(query), flags: flagsOf(query) | code });
}

function respond(
  query: Packet,
  transport: Transport,
  answers: NonNullable<Packet['answers']>,
): Buffer {
  const message = encode({ ...responseTo(query), answers });
  if (transport === 'tcp' || message.length <= payloadLimit(query)) return message;
  // Truncated: the client asks again over TCP.
  return encode({ ...responseTo(query), flags: flagsOf(query) | TRUNCATED });
}

const TRUNCATED = 0x200;

function responseTo(query: Packet): Packet {
  const hasExtensions = query.additionals?.some(({ type }) => type === 'OPT') ?? false;
  return {
    type: 'response',
    ...(query.id === undefined ? {} : { id: query.id }),
    flags: flagsOf(query),
    ...(query.questions === undefined ? {} : { questions: query.questions }),
    ...(hasExtensions ? { additionals: [EXTENSIONS] } : {}),
  };
}

const EXTENSIONS = {
  type: 'OPT' as const,
  name: '.',
  udpPayloadSize: EDNS_BYTES,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
} satisfies NonNullable<Packet['additionals']>[number];

function flagsOf(query: Packet): number {
  return ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE;
}

/** Bytes that the client takes in one datagram. */
function payloadLimit(query: Packet): number {
  const options = query.additionals?.find((record) => record.type === 'OPT');
  const offered = options?.type === 'OPT' ? options.udpPayloadSize : 0;
  return Math.max(PLAIN_UDP_BYTES, Math.min(offered, EDNS_BYTES));
}

/** The address that a name below `in-addr.arpa` or `ip6.arpa` stands for; undefined for other names. */
function reverseAddress(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower.endsWith(IPV4_SUFFIX)) {
    return lower.slice(0, -IPV4_SUFFIX.length).split('.').toReversed().join('.');
  }
  if (!lower.endsWith(IPV6_SUFFIX)) return undefined;
  const digits = lower.slice(0, -IPV6_SUFFIX.length).split('.').toReversed().join('');
  return /^[0-9a-f]{32}$/.test(digits) ? formatIpv6(BigInt(`0x${digits}`)) : undefined;
}
