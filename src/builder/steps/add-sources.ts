/** What the sources of COPY and ADD are: files of a tree, texts of the Dockerfile, downloads, git repositories. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CopyInstruction } from '../../dockerfile/instruction.ts';
import type { Heredoc } from '../../dockerfile/source-instruction.ts';
import { DigestCounter, parseDigest } from '../../oci/digest.ts';
import { randomId } from '../../shared/ids.ts';
import { foreignChecksum, invalidChecksum, remoteSourceWithFrom } from '../builder-errors.ts';
import { checkOutGit, isGitUrl } from '../contexts/git-checkout.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import type { BuildRun } from '../graph/build-run.ts';
import { PathPatterns } from '../patterns/path-patterns.ts';

/** Sources of one tree. */
export interface SourcePart {
  readonly tree: SourceTree;
  readonly sources: readonly string[];
  /** Archives among them are unpacked. */
  readonly unpack: boolean;
}

export interface SourceInput {
  readonly instruction: CopyInstruction;
  /** Expanded. */
  readonly sources: readonly string[];
  contentOf(heredoc: Heredoc): string;
}

/** A commit's name, or how it begins. */
const COMMIT = /^[0-9a-f]{4,64}$/;
const URL_SOURCE = /^https?:\/\//i;
/** Files that came from elsewhere are for nobody else by default. */
const DOWNLOAD_MODE = 0o600;

/** Fetches what has to be fetched; files that are made for it go when the build ends. */
export async function addSources(
  run: BuildRun,
  input: SourceInput,
): Promise<readonly SourcePart[]> {
  const { instruction, sources } = input;
  const isRemote = (source: string) => URL_SOURCE.test(source) || isGitUrl(source);
  const local = sources.filter((source) => !(instruction.kind === 'ADD' && isRemote(source)));
  if (instruction.kind === 'COPY' && sources.some((source) => URL_SOURCE.test(source))) {
    throw remoteSourceWithFrom();
  }
  const unpack = instruction.kind === 'ADD' && instruction.unpack !== false;
  const parts: SourcePart[] = [];
  if (local.length > 0) {
    parts.push({ tree: run.tree(instruction.from), sources: local, unpack });
  }
  if (instruction.heredocs.length > 0) parts.push(await heredocPart(run, input));
  for (const source of sources) {
    if (local.includes(source)) continue;
    parts.push(
      isGitUrl(source)
        ? await gitPart(run, instruction, source)
        : await downloadPart(run, instruction, source),
    );
  }
  return parts;
}

async function workDir(run: BuildRun): Promise<string> {
  const dir = join(run.deps.dirs.work, randomId());
  await mkdir(dir, { recursive: true, mode: 0o755 });
  run.defer(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function treeOf(name: string, dir: string): SourceTree {
  return {
    name,
    identity: undefined,
    keepsOwners: false,
    ignored: new PathPatterns([]),
    open: async () => ({ dir }),
  };
}

async function heredocPart(run: BuildRun, input: SourceInput): Promise<SourcePart> {
  const dir = await workDir(run);
  const { heredocs } = input.instruction;
  for (const heredoc of heredocs) {
    await writeFile(join(dir, heredoc.name), input.contentOf(heredoc), { mode: 0o644 });
  }
  const sources = heredocs.map(({ name }) => name);
  return { tree: treeOf('heredocs', dir), sources, unpack: false };
}

async function downloadPart(
  run: BuildRun,
  instruction: CopyInstruction,
  url: string,
): Promise<SourcePart> {
  const dir = await workDir(run);
  const address = new URL(url);
  const { bytes, modifiedMs = 0 } = await run.deps.downloads.open(address, run.signal);
  const name = posix.basename(decodeURIComponent(address.pathname)) || 'download';
  const file = join(dir, name);
  const counter = new DigestCounter();
  await pipeline(
    bytes,
    async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        counter.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(file, { mode: DOWNLOAD_MODE }),
    { signal: run.signal },
  );
  checkDigest(instruction, counter.digest());
  // Where nobody knows how old it is, the time of the download would make every build another one.
  await utimes(file, modifiedMs / 1000, modifiedMs / 1000);
  return { tree: treeOf(url, dir), sources: [name], unpack: instruction.unpack === true };
}

function checkDigest({ checksum }: CopyInstruction, found: string): void {
  if (checksum === undefined) return;
  if (parseDigest(checksum) === undefined) throw invalidChecksum(checksum);
  if (checksum !== found) throw foreignChecksum(checksum, found);
}

async function gitPart(
  run: BuildRun,
  instruction: CopyInstruction,
  url: string,
): Promise<SourcePart> {
  const dir = await workDir(run);
  const { keepGitDir, checksum } = instruction;
  if (checksum !== undefined && !COMMIT.test(checksum)) throw invalidChecksum(checksum);
  await checkOutGit(run.deps, url, { dir, keepGitDir, commit: checksum, signal: run.signal });
  return { tree: treeOf(url, dir), sources: ['/'], unpack: false };
}
