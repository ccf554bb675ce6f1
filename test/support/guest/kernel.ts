/** Debian's kernel for virtual machines, downloaded as a package and unpacked: nothing is installed. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../run-command.ts';

const CACHE_DIR = join(homedir(), '.cache/wherry-test');
const META_PACKAGE = 'linux-image-cloud-amd64';
const DOWNLOAD_TIMEOUT_MS = 180_000;

/** An unpacked kernel. */
export interface GuestKernel {
  readonly image: string;
  /** The directory that module paths such as `fs/overlayfs/overlay.ko` are relative to. */
  readonly modulesDir: string;
}

/** The kernel that the machine's package sources offer now; kept for the next run. */
export async function guestKernel(): Promise<GuestKernel> {
  const name = await packageName();
  const dir = join(CACHE_DIR, name);
  await mkdir(CACHE_DIR, { recursive: true });
  if (!(await readdir(CACHE_DIR)).includes(name)) await unpack(name, dir);
  const version = name.replace('linux-image-', '');
  return {
    image: join(dir, `boot/vmlinuz-${version}`),
    modulesDir: join(dir, `lib/modules/${version}/kernel`),
  };
}

async function packageName(): Promise<string> {
  const { stdout } = await runCommand(['apt-cache', 'depends', META_PACKAGE]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  assert.ok(name !== undefined, `${META_PACKAGE} is not in the package lists`);
  return name;
}

/** In a directory of its own first: an interrupted download is never taken for a kernel. */
async function unpack(name: string, dir: string): Promise<void> {
  const work = await mkdtemp(join(CACHE_DIR, 'kernel-'));
  try {
    const options = { cwd: work, timeoutMs: DOWNLOAD_TIMEOUT_MS };
    const download = await runCommand(['apt-get', 'download', name], options);
    assert.equal(download.code, 0, download.stderr);
    const file = (await readdir(work)).find((entry) => entry.endsWith('.deb')) ?? '';
    const extracted = await runCommand(['dpkg-deb', '--extract', file, 'root'], options);
    assert.equal(extracted.code, 0, extracted.stderr);
    await rename(join(work, 'root'), dir);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
