/** Where the files of a classic build come from: the body, a git repository, a URL. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { randomId } from '../../shared/ids.ts';
import type { BuildContext } from '../build-context.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { invalidContext } from '../builder-errors.ts';
import { OWNERS_ON_DISK } from '../contexts/copy-contents.ts';
import { checkOutGit, isGitUrl } from '../contexts/git-checkout.ts';
import { readInside } from '../contexts/read-inside.ts';

/** A context that is complete. */
export interface ReceivedContext {
  readonly context: BuildContext;
  readonly dockerfile: { readonly name: string; readonly text: string };
  readonly dockerignore: string;
  /** Removes it. */
  release(): Promise<void>;
}

type ContextDeps = Pick<BuilderDeps, 'trees' | 'dirs' | 'downloads' | 'openHostProxy'>;

const DEFAULT_DOCKERFILE = 'Dockerfile';

/** `invalid-argument` for a body that is no archive and for a Dockerfile that is not in it. */
export async function receiveContext(
  deps: ContextDeps,
  request: { readonly remote: string | undefined; readonly dockerfile: string | undefined },
  from: { readonly body: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
): Promise<ReceivedContext> {
  const dir = join(deps.dirs.work, randomId());
  await mkdir(dir, { recursive: true, mode: 0o755 });
  const release = () => rm(dir, { recursive: true, force: true });
  try {
    await fill(deps, { dir, remote: request.remote, ...from });
    const dockerfile = await readDockerfile(dir, request.dockerfile);
    const dockerignore = await readIgnore(dir, dockerfile.name);
    const opened = { dir, transferredBytes: 0, release: async () => undefined };
    const context = { name: 'context', keepsOwners: false, open: async () => opened };
    return { context, dockerfile, dockerignore, release };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Filling {
  readonly dir: string;
  readonly remote: string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

async function fill(deps: ContextDeps, { dir, remote, body, signal }: Filling): Promise<void> {
  if (remote === undefined) return await unpack(deps, dir, body);
  // A client may send a body all the same.
  for await (const chunk of body) void chunk;
  if (isGitUrl(remote)) {
    return await checkOutGit(deps, remote, { dir, keepGitDir: true, signal });
  }
  const download = await deps.downloads.open(new URL(remote), signal);
  const bytes = await collect(download.bytes);
  if (isText(bytes)) await writeFile(join(dir, DEFAULT_DOCKERFILE), bytes);
  else await unpack(deps, dir, one(bytes));
}

async function unpack(
  deps: ContextDeps,
  dir: string,
  archive: AsyncIterable<Uint8Array>,
): Promise<void> {
  const tree = await deps.trees.open(dir, [], OWNERS_ON_DISK);
  try {
    await tree.extract('/', archive, { keepKinds: false, owner: { uid: 0, gid: 0 } });
  } finally {
    await tree.close();
  }
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A Dockerfile alone; archives have zeros. */
function isText(bytes: Buffer): boolean {
  return !bytes.subarray(0, 1024).includes(0);
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Nothing is read where the Dockerfile lies elsewhere. */
async function readDockerfile(dir: string, wanted: string | undefined) {
  if (wanted === undefined) return { name: DEFAULT_DOCKERFILE, text: '' };
  const name = posix.join('/', wanted === '' ? DEFAULT_DOCKERFILE : wanted).slice(1);
  const text = await readInside(dir, name);
  if (text !== undefined) return { name, text };
  const lower = name === DEFAULT_DOCKERFILE ? await readInside(dir, name.toLowerCase()) : undefined;
  if (lower !== undefined) return { name: name.toLowerCase(), text: lower };
  throw invalidContext(`Cannot locate specified Dockerfile: ${name}`);
}

async function readIgnore(dir: string, dockerfile: string): Promise<string> {
  const own = await readInside(dir, `${dockerfile}.dockerignore`);
  return own ?? (await readInside(dir, '.dockerignore')) ?? '';
}
