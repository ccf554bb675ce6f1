/** The smallest program there is: it exits with code 0. Lets a runtime be probed without any image. */

const ELF_HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const LOAD_ADDRESS = 0x400000;

/** Machine number of the ELF header, and `exit(0)` in machine code. */
interface Architecture {
  readonly machine: number;
  readonly code: readonly number[];
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  // mov eax, 60; xor edi, edi; syscall
  x64: { machine: 62, code: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] },
  // mov x8, #93; mov x0, #0; svc #0
  arm64: {
    machine: 183,
    code: [0xa8, 0x0b, 0x80, 0xd2, 0x00, 0x00, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4],
  },
};

/** A static ELF executable for a `process.arch`; undefined for architectures without a written one. */
export function probeProgram(architecture: string): Buffer | undefined {
  const target = ARCHITECTURES[architecture];
  if (target === undefined) return undefined;
  const code = Buffer.from(target.code);
  const start = ELF_HEADER_BYTES + PROGRAM_HEADER_BYTES;
  return Buffer.concat([
    elfHeader(target.machine, LOAD_ADDRESS + start),
    programHeader(start + code.length),
    code,
  ]);
}

/** 64-bit, little-endian, executable, one program header right behind (elf(5), `Elf64_Ehdr`). */
function elfHeader(machine: number, entry: number): Buffer {
  const header = Buffer.alloc(ELF_HEADER_BYTES);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(entry), 24);
  header.writeBigUInt64LE(BigInt(ELF_HEADER_BYTES), 32);
  header.writeUInt16LE(ELF_HEADER_BYTES, 52);
  header.writeUInt16LE(PROGRAM_HEADER_BYTES, 54);
  header.writeUInt16LE(1, 56);
  return header;
}

/** The whole file, loaded readable and executable (elf(5), `Elf64_Phdr`). */
function programHeader(fileBytes: number): Buffer {
  const header = Buffer.alloc(PROGRAM_HEADER_BYTES);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(5, 4);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16);
  header.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  header.writeBigUInt64LE(BigInt(fileBytes), 32);
  header.writeBigUInt64LE(BigInt(fileBytes), 40);
  header.writeBigUInt64LE(0x1000n, 48);
  return header;
}
