/** virtiofsd, the server of a shared directory that is many times faster than QEMU's own 9p. It ends when its machine does. */
import { existsSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Command } from '../../sys/exec/command.ts';
import { findExecutableSync } from '../../sys/exec/find-executable.ts';
import { run } from '../../sys/exec/run.ts';
import { spawnProcess } from '../../sys/exec/spawn.ts';
import type { VmParts } from './vm-driver.ts';
import { shareNotServed } from './vm-errors.ts';

/** Where distributions put it, which is on no search path. */
const PLACES = ['virtiofsd', '/usr/libexec/virtiofsd', '/usr/lib/virtiofsd'];
/** Since 1.13. The older program of the same name, in C, has nothing like it. */
const NEEDED_OPTION = '--translate-uid';
const PROBE_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 10_000;
const LOOK_MS = 20;
const ALL_IDS = 4_294_967_295;

/** A virtiofsd that can give all files to one user; undefined when there is none. */
export async function findVirtiofsd(searchPath: string): Promise<string | undefined> {
  for (const place of PLACES) {
    const file = findExecutableSync(place, searchPath);
    if (file === undefined) continue;
    const { stdout } = await run({ file, args: ['--help'] }, { timeoutMs: PROBE_TIMEOUT_MS });
    if (stdout.includes(NEEDED_OPTION)) return file;
  }
  return undefined;
}

/** Where the machine meets it. */
export function shareSocket(parts: VmParts): string {
  return join(dirname(parts.channelSocket), 'vm-share.sock');
}

/** Whatever user a container has, on this host it is the caller: nobody else's files can be made, and `chown` does nothing. */
export function virtiofsdCommand(program: string, sharedDir: string, parts: VmParts): Command {
  const { uid, gid } = parts.user;
  const args = [
    ...['--shared-dir', sharedDir, '--socket-path', shareSocket(parts)],
    ...['--translate-uid', `squash-guest:0:${uid}:${ALL_IDS}`],
    ...['--translate-gid', `squash-guest:0:${gid}:${ALL_IDS}`],
    // Its sandbox is a namespace with the shared directory as its root.
    ...['--sandbox', 'namespace', '--log-level', 'warn'],
  ];
  return { file: program, args };
}

/** Starts it and waits until a machine can come; resolves to what ends it when none does. `unavailable` when it fails. */
export async function startVirtiofsd(command: Command, socket: string): Promise<() => void> {
  await rm(socket, { force: true });
  const log = `${socket}.log`;
  // Like the machine it outlives this host, so nothing of it may be a pipe to us.
  const file = await open(log, 'w', 0o600);
  const stdio = ['ignore', 'ignore', { fd: file.fd }] as const;
  const child = spawnProcess(command, { stdio, detached: true });
  await file.close();
  let hasEnded = false;
  child.exited.then(
    () => {
      hasEnded = true;
    },
    () => undefined,
  );
  child.unref();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!existsSync(socket)) {
    if (hasEnded || Date.now() > deadline) {
      child.kill('SIGKILL');
      const words = (await readFile(log, 'utf8')).trim().split('\n').at(-1);
      throw shareNotServed(words || 'it did not begin to listen');
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return () => void child.kill('SIGTERM');
}
