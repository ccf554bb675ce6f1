/** A root file system for tests: the machine's static busybox under its usual names. */
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './capabilities.ts';

const APPLETS = [
  ...['sh', 'true', 'false', 'sleep', 'cat', 'echo', 'ls', 'id', 'stty', 'kill', 'env', 'hostname'],
  ...[
    'mount',
    'grep',
    'head',
    'touch',
    'tty',
    'wc',
    'mkdir',
    'rm',
    'ps',
    'dd',
    'printf',
    'pwd',
    'test',
  ],
];

/** Makes the file system in an empty or missing directory. */
export async function makeBusyboxRootfs(dir: string): Promise<void> {
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new Error('there is no busybox');
  const dirs = ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'root'];
  await Promise.all(dirs.map((name) => mkdir(join(dir, name), { recursive: true })));
  await copyFile(busybox, join(dir, 'bin/busybox'));
  await chmod(join(dir, 'bin/busybox'), 0o755);
  await Promise.all(APPLETS.map((name) => symlink('busybox', join(dir, 'bin', name))));
  await writeFile(
    join(dir, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nme:x:1000:1000::/tmp:/bin/sh\n',
  );
  await writeFile(join(dir, 'etc/group'), 'root:x:0:\nme:x:1000:\nwheel:x:10:me\n');
}
