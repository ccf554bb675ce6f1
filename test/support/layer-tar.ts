/** Tar archives written byte by byte, so that tests can make the hostile and odd ones too. */

/** One member. Everything has a good default; `type` is the flag of the header. */
export interface TarMember {
  readonly name: string;
  readonly type?: string;
  readonly content?: Buffer | string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly linkName?: string;
  /** Extended header records; values may be binary. */
  readonly pax?: Readonly<Record<string, Buffer | string>>;
  readonly device?: { readonly major: number; readonly minor: number };
}

const BLOCK = 512;
/** Time of members that do not say: a fixed one, so that digests are. */
const MTIME = 1_700_000_000;

/** The archive with its end mark. */
export function layerTar(members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.map(tarMember), Buffer.alloc(2 * BLOCK)]);
}

/** One member without the end mark. */
export function tarMember(member: TarMember): Buffer {
  const content = Buffer.from(member.content ?? '');
  const pax = member.pax === undefined ? [] : [paxMember(member.pax)];
  return Buffer.concat([...pax, header(member, content.length), padded(content)]);
}

/** Directories, files, and nothing else: `{ 'etc/': '', 'etc/motd': 'hi' }`. */
export function filesTar(files: Readonly<Record<string, string>>): Buffer {
  return layerTar(
    Object.entries(files).map(([name, content]) =>
      name.endsWith('/') ? { name, type: '5', mode: 0o755 } : { name, content },
    ),
  );
}

function paxMember(records: Readonly<Record<string, Buffer | string>>): Buffer {
  const body = Buffer.concat(Object.entries(records).map(([key, value]) => record(key, value)));
  return Buffer.concat([header({ name: 'pax', type: 'x' }, body.length), padded(body)]);
}

function record(key: string, value: Buffer | string): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) {
    length = String(length).length + rest.length;
  }
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header(member: TarMember, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(member.name, 0, 100, 'utf8');
  octal(member.mode ?? 0o644, 100, 8);
  octal(member.uid ?? 0, 108, 8);
  octal(member.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(member.mtime ?? MTIME, 136, 12);
  block.write(member.type ?? '0', 156, 'latin1');
  block.write(member.linkName ?? '', 157, 100, 'utf8');
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263, 'latin1');
  octal(member.device?.major ?? 0, 329, 8);
  octal(member.device?.minor ?? 0, 337, 8);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}
