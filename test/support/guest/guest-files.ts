/** The files of a guest: programs of this machine with the libraries that they need, as a disk and an initial root. */
import assert from 'node:assert/strict';
import {
  chmod,
  copyFile,
  cp,
  mkdir,
  readFile,
  realpath,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '../capabilities.ts';
import { runCommand } from '../run-command.ts';
import type { GuestKernel } from './kernel.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');
const PROGRAMS = ['crun', 'runc', 'conmon', 'unshare', 'nsenter', 'newuidmap', 'newgidmap']
  .concat('setpriv', 'cat', 'ps', 'docker', 'busybox')
  .concat(process.execPath);
/** In the order in which they must be loaded: the disk and what it hangs on. */
const DISK_MODULES = ['virtio/virtio_ring', 'virtio/virtio', 'virtio/virtio_pci_legacy_dev']
  .concat('virtio/virtio_pci_modern_dev', 'virtio/virtio_pci', 'block/virtio_blk')
  .map((name) => `drivers/${name}.ko`);
/** Those of root file systems and of the default network, in order as well. */
const ROOT_MODULES = ['fs/overlayfs/overlay', 'net/llc/llc', 'net/802/stp', 'net/bridge/bridge']
  .concat('drivers/net/veth', 'drivers/net/dummy')
  .map((name) => `${name}.ko`);
const DISK_SIZE = '700M';

/** Makes an ext4 disk with the built programs and `script` as the first process. */
export async function makeDisk(
  dir: string,
  { kernel, script }: { readonly kernel: GuestKernel; readonly script: string },
): Promise<string> {
  const root = join(dir, 'root');
  await makeTree(root);
  for (const name of PROGRAMS) await addProgram(root, name);
  for (const [at, module] of ROOT_MODULES.entries()) {
    const target = join(root, 'modules', `${at}-${basename(module)}`);
    await copyFile(join(kernel.modulesDir, module), target);
  }
  await cp(join(CHECKOUT, 'dist'), join(root, 'wherry/dist'), { recursive: true });
  for (const name of ['koffi', '@koromix']) {
    const target = join(root, 'wherry/node_modules', name);
    await cp(join(CHECKOUT, 'node_modules', name), target, { recursive: true });
  }
  await writeFile(join(root, 'start'), script, { mode: 0o755 });
  const disk = join(dir, 'disk.img');
  await must(['mke2fs', '-q', '-t', 'ext4', '-d', root, disk, DISK_SIZE]);
  return disk;
}

/** Makes the initial root: loads the modules of the disk and goes on there. */
export async function makeInitialRoot(dir: string, kernel: GuestKernel): Promise<string> {
  const root = join(dir, 'initial');
  for (const name of ['dev', 'proc', 'new']) await mkdir(join(root, name), { recursive: true });
  await copyFile(requireProgram('busybox'), join(root, 'busybox'));
  for (const module of DISK_MODULES) {
    await copyFile(join(kernel.modulesDir, module), join(root, basename(module)));
  }
  const loads = DISK_MODULES.map((module) => `/busybox insmod /${basename(module)}`);
  const steps = ['#!/busybox sh', '/busybox mount -t devtmpfs dev /dev', ...loads];
  const enter = ['/busybox mount -t ext4 /dev/vda /new', 'exec /busybox switch_root /new /start'];
  await writeFile(join(root, 'init'), [...steps, ...enter, ''].join('\n'), { mode: 0o755 });
  const archive = join(dir, 'initial.cpio');
  const pack = `find . | busybox cpio -o -H newc 2>/dev/null >${archive}`;
  await must(['sh', '-c', pack], root);
  return archive;
}

async function makeTree(root: string): Promise<void> {
  const dirs = ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc', 'modules', 'home/user'];
  for (const name of [...dirs, 'proc', 'sys', 'dev', 'run', 'tmp', 'root', 'wherry']) {
    await mkdir(join(root, name), { recursive: true });
  }
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    await symlink(`usr/${name}`, join(root, name));
  const accounts = 'root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n';
  await writeFile(join(root, 'etc/passwd'), accounts);
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nuser:x:1000:\n');
  for (const name of ['subuid', 'subgid']) {
    await writeFile(join(root, 'etc', name), 'user:100000:65536\n');
  }
}

/** A program and its libraries, at the places that it looks for them. */
async function addProgram(root: string, name: string): Promise<void> {
  const path = name.startsWith('/') ? name : requireProgram(name);
  await addFile(root, path, join('usr/bin', basename(path)));
  const { stdout } = await runCommand(['ldd', await realpath(path)]);
  for (const [library = ''] of stdout.matchAll(/\/\S+\.so\S*/g)) {
    await addFile(root, library, library.slice(1));
  }
}

async function addFile(root: string, source: string, target: string): Promise<void> {
  const place = join(root, target);
  await mkdir(dirname(place), { recursive: true });
  await writeFile(place, await readFile(source));
  await chmod(place, 0o755);
}

function requireProgram(name: string): string {
  const path = findProgram(name);
  assert.ok(path !== undefined, `${name} is not installed`);
  return path;
}

async function must(argv: readonly string[], cwd?: string): Promise<void> {
  const { code, stderr } = await runCommand(argv, cwd === undefined ? {} : { cwd });
  assert.equal(code, 0, `${argv[0]}: ${stderr}`);
}
