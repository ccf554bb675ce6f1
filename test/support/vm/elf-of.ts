/** The smallest ELF files that have what the image builder reads. */

const HEADER_BYTES = 64;
const SECTION_BYTES = 64;
const NAMES = Buffer.from('\0.modinfo\0.names\0');
const MODINFO_NAME = 1;
const NAMES_NAME = 10;

/** A kernel module that says of itself what `pairs` say: `['depends=crc', 'alias=fs-x']`. */
export function moduleElf(pairs: readonly string[]): Buffer {
  const info = Buffer.from(pairs.map((pair) => `${pair}\0`).join(''));
  const namesAt = HEADER_BYTES + info.length;
  const tableAt = namesAt + NAMES.length;
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  header.writeBigUInt64LE(BigInt(tableAt), 40);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(2, 62);
  const sections = [
    Buffer.alloc(SECTION_BYTES),
    section(MODINFO_NAME, HEADER_BYTES, info.length),
    section(NAMES_NAME, namesAt, NAMES.length),
  ];
  return Buffer.concat([header, info, NAMES, ...sections]);
}

function section(name: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(SECTION_BYTES);
  bytes.writeUInt32LE(name, 0);
  bytes.writeUInt32LE(1, 4);
  bytes.writeBigUInt64LE(BigInt(offset), 24);
  bytes.writeBigUInt64LE(BigInt(size), 32);
  return bytes;
}
