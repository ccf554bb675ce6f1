/** Mounts of a RUN: what they add to the key of its result, and how they come into the container. */
import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { secretMissing, sshAgentMissing } from '../builder-errors.ts';
import type { CacheMounts } from '../cache/cache-mounts.ts';
import { copyContents } from '../contexts/copy-contents.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import type { BuildRequest } from '../solver.ts';
import { bindTree } from './bind-tree.ts';
import type { MountOptions } from './mount-options.ts';

/** A mount whose words are expanded and whose tree, if it has one, is known. */
export interface RunMount {
  readonly options: MountOptions;
  readonly tree: SourceTree | undefined;
}

export interface MountWork {
  readonly deps: BuilderDeps;
  readonly cacheMounts: CacheMounts;
  readonly request: Pick<BuildRequest, 'secrets' | 'ssh'>;
  /** A directory in memory, for this command alone. */
  readonly secretsDir: string;
  readonly workingDir: string;
  readonly undo: CleanupStack;
  readonly signal: AbortSignal;
}

/** What the container gets: mounts, and variables that hold secrets. */
export interface PreparedMounts {
  readonly mounts: readonly SpecMount[];
  readonly env: readonly string[];
}

const READ_ONLY_FILE = 0o400;

/** Acquires everything; `undo` lets go of it. `not-found` for required secrets that the client has not given. */
export async function prepareMounts(
  work: MountWork,
  mounts: readonly RunMount[],
): Promise<PreparedMounts> {
  const prepared: PreparedMounts[] = [];
  for (const [index, mount] of mounts.entries()) prepared.push(await prepare(work, mount, index));
  return {
    mounts: prepared.flatMap((one) => one.mounts),
    env: prepared.flatMap((one) => one.env),
  };
}

/** Absolute path in the container. */
export function mountTarget({ options }: RunMount, workingDir: string): string {
  const { type, target, id, source } = options;
  if (target !== undefined) return posix.resolve(workingDir === '' ? '/' : workingDir, target);
  if (type === 'ssh') return '/run/buildkit/ssh_agent.0';
  return `/run/secrets/${posix.basename(id ?? source ?? '')}`;
}

async function prepare(work: MountWork, mount: RunMount, index: number): Promise<PreparedMounts> {
  switch (mount.options.type) {
    case 'bind':
      return only(await bindTree(work, mount, mountTarget(mount, work.workingDir)));
    case 'cache':
      return only(await cacheMount(work, mount));
    case 'tmpfs':
      return only(tmpfs(work, mount));
    case 'secret':
      return await secret(work, mount, index);
    case 'ssh':
      return await sshAgent(work, mount, index);
  }
}

const NOTHING: PreparedMounts = { mounts: [], env: [] };

function only(mount: SpecMount): PreparedMounts {
  return { mounts: [mount], env: [] };
}

async function cacheMount(work: MountWork, mount: RunMount): Promise<SpecMount> {
  const { options, tree } = mount;
  const target = mountTarget(mount, work.workingDir);
  const held = await work.cacheMounts.hold(
    {
      name: options.id ?? target,
      sharing: options.sharing,
      mode: options.mode ?? 0o755,
      uid: options.uid ?? 0,
      gid: options.gid ?? 0,
      ...(tree === undefined ? {} : { fill: (dir) => fillFrom(work, mount, dir) }),
    },
    work.signal,
  );
  work.undo.defer(() => held.release());
  return bind(held.dir, target, options.readOnly === true);
}

async function fillFrom({ deps }: MountWork, mount: RunMount, dir: string): Promise<void> {
  const tree = await mount.tree?.open();
  if (tree === undefined) return;
  const path = posix.join('/', mount.options.source ?? '');
  await copyContents(deps.trees, { dir: tree.dir, path }, dir);
}

function tmpfs(work: MountWork, mount: RunMount): SpecMount {
  const { sizeBytes } = mount.options;
  const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
  const destination = mountTarget(mount, work.workingDir);
  return { destination, type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'nodev', ...size] };
}

/** The bytes are on a file system in memory for as long as the command runs, and nowhere else. */
async function secret(work: MountWork, mount: RunMount, index: number): Promise<PreparedMounts> {
  const { options } = mount;
  const id = options.id ?? options.source ?? posix.basename(options.target ?? '');
  const bytes = await work.request.secrets(id, work.signal);
  if (bytes === undefined) {
    if (!options.required) return NOTHING;
    throw secretMissing(id);
  }
  const variable = options.env;
  const env = variable === undefined ? [] : [`${variable}=${Buffer.from(bytes).toString('utf8')}`];
  if (variable !== undefined && options.target === undefined) return { mounts: [], env };
  await mkdir(work.secretsDir, { recursive: true, mode: 0o700 });
  const path = join(work.secretsDir, `secret-${index}`);
  await writeFile(path, bytes, { mode: 0o600 });
  await chown(path, options.uid ?? 0, options.gid ?? 0);
  await chmod(path, options.mode ?? READ_ONLY_FILE);
  return { mounts: [bind(path, mountTarget(mount, work.workingDir), true)], env };
}

async function sshAgent(work: MountWork, mount: RunMount, index: number): Promise<PreparedMounts> {
  const { options } = mount;
  const id = options.id ?? 'default';
  await mkdir(work.secretsDir, { recursive: true, mode: 0o700 });
  const path = join(work.secretsDir, `ssh-${index}`);
  const agent = await work.request.ssh(id, path, work.signal);
  if (agent === undefined) {
    if (!options.required) return NOTHING;
    throw sshAgentMissing(id);
  }
  work.undo.defer(() => agent.close());
  await chown(path, options.uid ?? 0, options.gid ?? 0);
  await chmod(path, options.mode ?? 0o600);
  const target = mountTarget(mount, work.workingDir);
  return { mounts: [bind(path, target, false)], env: [`SSH_AUTH_SOCK=${target}`] };
}

/** A bind mount as the runtime takes it. */
export function bind(source: string, destination: string, readOnly: boolean): SpecMount {
  const options = ['rbind', 'rprivate', ...(readOnly ? ['ro'] : [])];
  return { destination, source, type: 'bind', options };
}
