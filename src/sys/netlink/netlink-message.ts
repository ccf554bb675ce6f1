/**
 * Netlink framing (`netlink(7)`): a 16-byte header, a fixed body, then attributes, each padded to four
 * bytes. Pure. Integers are in host order, which is little-endian on every platform that is supported.
 */

export const MessageType = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  getRoute: 26,
  newNeighbour: 28,
  newRule: 32,
} as const;

export const MessageFlag = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  /** Of an error message: the request is not echoed, attributes follow the code at once. */
  capped: 0x100,
  /** Of an error message: attributes with the kernel's explanation follow. */
  ackAttributes: 0x200,
  dump: 0x300,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
} as const;

/** An attribute of a request: bytes, or attributes inside of it. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array | readonly Attribute[];
}

/** What is asked of the kernel, before it gets a sequence number. */
export interface NetlinkRequest {
  /** What it is for, as a clause of an error message: `create link docker0`. */
  readonly purpose: string;
  readonly type: number;
  /** Flags besides `request`. */
  readonly flags: number;
  /** The fixed structure that follows the header. */
  readonly body: Uint8Array;
  readonly attributes: readonly Attribute[];
}

/** A message as received. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** An acknowledgement: `errno` is 0 for success, `explanation` is the kernel's own text when it gives one. */
export interface Acknowledgement {
  readonly errno: number;
  readonly explanation: string;
}

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** `NLA_TYPE_MASK`: the two upper bits say "nested" and "network byte order". */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
/** `NLMSGERR_ATTR_MSG`. */
const EXPLANATION_ATTRIBUTE = 1;

const align = (length: number): number => (length + 3) & ~3;

/** A whole request with its header. */
export function encodeRequest(request: NetlinkRequest, sequence: number): Buffer {
  const attributes = encodeAttributes(request.attributes);
  const bodyBytes = align(request.body.length);
  const message = Buffer.alloc(HEADER_BYTES + bodyBytes + attributes.length);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(request.type, 4);
  message.writeUInt16LE(request.flags | MessageFlag.request, 6);
  message.writeUInt32LE(sequence, 8);
  message.set(request.body, HEADER_BYTES);
  message.set(attributes, HEADER_BYTES + bodyBytes);
  return message;
}

/** Attributes one after the other, nested ones encoded in place. */
export function encodeAttributes(attributes: readonly Attribute[]): Buffer {
  return Buffer.concat(attributes.map(encodeAttribute));
}

function encodeAttribute(attribute: Attribute): Buffer {
  const value =
    attribute.value instanceof Uint8Array ? attribute.value : encodeAttributes(attribute.value);
  const length = ATTRIBUTE_HEADER_BYTES + value.length;
  const encoded = Buffer.alloc(align(length));
  encoded.writeUInt16LE(length, 0);
  encoded.writeUInt16LE(attribute.type, 2);
  encoded.set(value, ATTRIBUTE_HEADER_BYTES);
  return encoded;
}

/** Splits one datagram into its messages; a length that does not fit ends the list. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let offset = 0;
  while (offset + HEADER_BYTES <= datagram.length) {
    const length = datagram.readUInt32LE(offset);
    if (length < HEADER_BYTES || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      payload: datagram.subarray(offset + HEADER_BYTES, offset + length),
    });
    offset += align(length);
  }
  return messages;
}

/** Attributes by type; of a repeated type the last one counts. */
export function decodeAttributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  let offset = 0;
  while (offset + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = bytes.readUInt16LE(offset);
    if (length < ATTRIBUTE_HEADER_BYTES || offset + length > bytes.length) break;
    const type = bytes.readUInt16LE(offset + 2) & ATTRIBUTE_TYPE_MASK;
    attributes.set(type, bytes.subarray(offset + ATTRIBUTE_HEADER_BYTES, offset + length));
    offset += align(length);
  }
  return attributes;
}

/** Reads an error message (`struct nlmsgerr`), which is also how success is acknowledged. */
export function decodeAcknowledgement(message: NetlinkMessage): Acknowledgement {
  if (message.payload.length < 4) return { errno: 0, explanation: '' };
  return { errno: -message.payload.readInt32LE(0), explanation: explanationOf(message) };
}

function explanationOf(message: NetlinkMessage): string {
  const { flags, payload } = message;
  if ((flags & MessageFlag.ackAttributes) === 0 || payload.length < 4 + HEADER_BYTES) return '';
  const capped = (flags & MessageFlag.capped) !== 0;
  const echoedBytes = capped ? HEADER_BYTES : align(payload.readUInt32LE(4));
  const attributes = decodeAttributes(payload.subarray(4 + echoedBytes));
  return textOf(attributes.get(EXPLANATION_ATTRIBUTE));
}

/** A NUL-terminated string attribute; empty when it is absent. */
export function textOf(value: Buffer | undefined): string {
  if (value === undefined) return '';
  const end = value.indexOf(0);
  return value.toString('utf8', 0, end < 0 ? value.length : end);
}

/** A NUL-terminated string as an attribute value. */
export function textValue(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}

/** A 32-bit number as an attribute value. */
export function numberValue(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
