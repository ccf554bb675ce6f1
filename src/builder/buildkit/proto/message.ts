/**
 * Protobuf messages described by values: one table of fields gives the decoder, the encoder and the type. The wire
 * format itself is the library's. Unknown fields are skipped, absent ones have proto3's defaults.
 */
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** One field. `T` is what decoding gives, `I` what encoding takes. */
export interface Field<T, I = T> {
  readonly no: number;
  initial(): T;
  /** Reads one occurrence; `before` is what earlier occurrences gave. */
  read(reader: BinaryReader, before: T, wireType: WireType): T;
  write(writer: BinaryWriter, value: I): void;
}

// The methods of a field are bivariant, so that a table of fields of any type is assignable to this.
type Fields = Readonly<Record<string, Field<unknown>>>;

type Decoded<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T, infer _> ? T : never;
};
type Encodable<F extends Fields> = {
  readonly [K in keyof F]?: F[K] extends Field<infer _, infer I> ? I | undefined : never;
};

/** A message: `T` as decoded, `I` as encoded, in which every field may be left out. */
export interface MessageType<T, I = T> {
  decode(bytes: Uint8Array): T;
  encode(value: I): Uint8Array;
}

/** The decoded form of a message type. */
export type MessageOf<M> = M extends MessageType<infer T, infer _> ? T : never;
/** What a message type encodes. */
export type EncodableOf<M> = M extends MessageType<infer _, infer I> ? I : never;

/** Describes a message. `decode` throws on bytes that are no such message. */
export function message<const F extends Fields>(fields: F): MessageType<Decoded<F>, Encodable<F>> {
  const entries = Object.entries(fields);
  const byNumber = new Map(entries.map(([name, field]) => [field.no, { name, field }]));
  return {
    decode(raw) {
      const reader = new BinaryReader(raw);
      const value: Record<string, unknown> = {};
      for (const [name, field] of entries) value[name] = field.initial();
      while (reader.pos < reader.len) {
        const [no, wireType] = reader.tag();
        const known = byNumber.get(no);
        if (known === undefined) reader.skip(wireType, no);
        else value[known.name] = known.field.read(reader, value[known.name], wireType);
      }
      return value as Decoded<F>;
    },
    encode(value) {
      const writer = new BinaryWriter();
      const given = value as Readonly<Record<string, unknown>>;
      for (const [name, field] of entries) {
        if (given[name] !== undefined) field.write(writer, given[name]);
      }
      return writer.finish();
    },
  };
}

export function string(no: number): Field<string> {
  return {
    no,
    initial: () => '',
    read: (reader) => reader.string(),
    write: (writer, value) => {
      if (value !== '') writer.tag(no, WireType.LengthDelimited).string(value);
    },
  };
}

const NO_BYTES = new Uint8Array();

export function bytes(no: number): Field<Uint8Array> {
  return {
    no,
    initial: () => NO_BYTES,
    read: (reader) => reader.bytes(),
    write: (writer, value) => {
      if (value.length > 0) writer.tag(no, WireType.LengthDelimited).bytes(value);
    },
  };
}

export function bool(no: number): Field<boolean> {
  return {
    no,
    initial: () => false,
    read: (reader) => reader.bool(),
    write: (writer, value) => {
      if (value) writer.tag(no, WireType.Varint).bool(value);
    },
  };
}

/** int32, int64 and enums. Beyond 2^53 precision is lost; sizes and times never get there. */
export function int(no: number): Field<number> {
  return {
    no,
    initial: () => 0,
    read: (reader) => Number(reader.int64()),
    write: (writer, value) => {
      if (value !== 0) writer.tag(no, WireType.Varint).int64(Math.trunc(value));
    },
  };
}

/** An int64 kept whole: times in nanoseconds. */
export function int64(no: number): Field<bigint> {
  return {
    no,
    initial: () => 0n,
    read: (reader) => BigInt(reader.int64()),
    write: (writer, value) => {
      if (value !== 0n) writer.tag(no, WireType.Varint).int64(value);
    },
  };
}

export function uint32(no: number): Field<number> {
  return {
    no,
    initial: () => 0,
    read: (reader) => reader.uint32(),
    write: (writer, value) => {
      if (value !== 0) writer.tag(no, WireType.Varint).uint32(value);
    },
  };
}

/** A message within a message; undefined when absent. */
export function sub<T, I>(
  no: number,
  type: MessageType<T, I>,
): Field<T | undefined, I | undefined> {
  return {
    no,
    initial: () => undefined,
    read: (reader) => type.decode(reader.bytes()),
    write: (writer, value) => {
      if (value !== undefined) writer.tag(no, WireType.LengthDelimited).bytes(type.encode(value));
    },
  };
}

export function repeatedString(no: number): Field<readonly string[]> {
  return repeated(no, {
    decode: (raw) => Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString(),
    encode: (text) => Buffer.from(text),
  });
}

export function repeatedBytes(no: number): Field<readonly Uint8Array[]> {
  return repeated(no, { decode: (raw) => raw, encode: (raw) => raw });
}

/** A repeated field of anything that is delimited by its length. */
export function repeated<T, I>(
  no: number,
  type: MessageType<T, I>,
): Field<readonly T[], readonly I[]> {
  return {
    no,
    initial: () => [],
    read: (reader, before) => [...before, type.decode(reader.bytes())],
    write: (writer, values) => {
      for (const value of values) {
        writer.tag(no, WireType.LengthDelimited).bytes(type.encode(value));
      }
    },
  };
}

/** A map with string keys; `value` is described as field 2. */
export function map<T, I>(
  no: number,
  value: Field<T, I>,
): Field<ReadonlyMap<string, T>, ReadonlyMap<string, I>> {
  const entry = message({ key: string(1), value }) as unknown as MessageType<
    { readonly key: string; readonly value: T },
    { readonly key: string; readonly value: I }
  >;
  return {
    no,
    initial: () => new Map(),
    read: (reader, before) => {
      const read = entry.decode(reader.bytes());
      return new Map(before).set(read.key, read.value);
    },
    write: (writer, entries) => {
      for (const [key, one] of entries) {
        writer.tag(no, WireType.LengthDelimited).bytes(entry.encode({ key, value: one }));
      }
    },
  };
}

/** A map of texts. */
export const stringMap = (no: number) => map(no, string(2));
