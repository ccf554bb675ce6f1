/** What a copy of the Debian archive offers: the index of a suite, read as the package tools do. */
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { unxzStream } from '../../src/vm-image/package/unxz.ts';

/** A package as the index has it. */
export interface OfferedPackage {
  readonly name: string;
  readonly version: string;
  /** Below the archive. */
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly depends: string;
}

/** One suite of an archive for one architecture. */
export interface Suite {
  /** When the archive made its index: a snapshot of that time has all of its packages. */
  readonly madeAt: Date;
  readonly packages: ReadonlyMap<string, OfferedPackage>;
}

/** Reads the index. Its digest must be the one of the suite's `Release`, which is not checked further. */
export async function readSuite(
  archive: string,
  suite: string,
  architecture: string,
): Promise<Suite> {
  const release = (await get(`${archive}/dists/${suite}/Release`)).toString();
  const path = `main/binary-${architecture}/Packages.xz`;
  const packed = await get(`${archive}/dists/${suite}/${path}`);
  const digest = createHash('sha256').update(packed).digest('hex');
  const isListed = release.split('\n').some((line) => line.includes(digest) && line.endsWith(path));
  if (!isListed) throw new Error(`${path} is not the one that ${suite}/Release names`);
  const text = (await buffer(unxzStream(packed))).toString();
  const packages = new Map(text.split('\n\n').map((block) => entryOf(block)));
  return { madeAt: new Date(/^Date: (.+)$/m.exec(release)?.[1] ?? ''), packages };
}

/** Reads a whole document; rejects for any status but 200. */
export async function get(url: string): Promise<Buffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function entryOf(block: string): readonly [string, OfferedPackage] {
  const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(block)?.[1] ?? '';
  const name = field('Package');
  const entry = { name, version: field('Version'), path: field('Filename') };
  const [size, sha256] = [Number(field('Size')), field('SHA256')];
  return [name, { ...entry, size, sha256, depends: field('Depends') }];
}
