import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { watchExit } from '../../src/sys/exec/exit-watch.ts';
import { spawnProcess } from '../../src/sys/exec/spawn.ts';
import {
  bindMount,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  mkfifo,
  mknod,
  mount,
  syncFileSystem,
  umount,
} from '../../src/sys/libc.ts';
import { FileLock } from '../../src/sys/lock/file-lock.ts';
import {
  isMounted,
  mountsUnder,
  unmountLazily,
  unmountTree,
} from '../../src/sys/mount/mount-table.ts';
import {
  createNetworkNamespace,
  namespaceInode,
  removeNetworkNamespace,
  withNetworkNamespace,
} from '../../src/sys/ns/network-namespace.ts';
import { processesInUserNamespace, readPssBytes } from '../../src/sys/proc/process-table.ts';
import { openPseudoTerminal } from '../../src/sys/pty/pseudo-terminal.ts';
import { errnoCode } from '../../src/sys/system-errors.ts';
import { eventually } from '../support/eventually.ts';

let dir = '';
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'wherry-kernel-'));
});
after(() => rmSync(dir, { recursive: true }));

const fresh = (name: string): string => {
  const path = join(dir, name);
  mkdirSync(path);
  return path;
};

describe('syncing a file system', () => {
  it('goes by any descriptor on it, and tells what went wrong', async () => {
    const fd = openSync(dir, 'r');
    await syncFileSystem(fd);
    closeSync(fd);
    const refused = await syncFileSystem(2 ** 30).catch((error: unknown) => error);
    assert.equal(errnoCode(refused), 'EBADF');
  });
});

describe('network namespaces', () => {
  const OWN = '/proc/thread-self/ns/net';

  it('are made without a process, entered and left', () => {
    const home = namespaceInode(OWN);
    const pin = join(dir, 'netns');
    createNetworkNamespace(pin);
    assert.notEqual(namespaceInode(pin), home);
    assert.equal(
      withNetworkNamespace(pin, () => namespaceInode(OWN)),
      namespaceInode(pin),
    );
    assert.equal(namespaceInode(OWN), home);
    removeNetworkNamespace(pin);
    assert.equal(existsSync(pin), false);
    removeNetworkNamespace(pin);
  });

  it('have settings of their own', () => {
    const pin = join(dir, 'netns-settings');
    const setting = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
    createNetworkNamespace(pin);
    withNetworkNamespace(pin, () => writeFileSync(setting, '0'));
    assert.equal(withNetworkNamespace(pin, () => readFileSync(setting, 'utf8')).trim(), '0');
    assert.equal(readFileSync(setting, 'utf8').trim(), '1024');
    removeNetworkNamespace(pin);
  });

  it('refuse work that would go on after they are left', () => {
    const pin = join(dir, 'netns-async');
    createNetworkNamespace(pin);
    assert.throws(() => withNetworkNamespace(pin, async () => undefined), /must be synchronous/);
    removeNetworkNamespace(pin);
  });

  it('are left when the action throws', () => {
    const home = namespaceInode(OWN);
    const pin = join(dir, 'netns-throwing');
    createNetworkNamespace(pin);
    const fail = () => {
      throw new Error('in there');
    };
    assert.throws(() => withNetworkNamespace(pin, fail), /in there/);
    assert.equal(namespaceInode(OWN), home);
    removeNetworkNamespace(pin);
  });

  it('refuse a pin that exists and leave it alone', () => {
    const pin = join(dir, 'occupied');
    writeFileSync(pin, 'mine');
    assert.throws(() => createNetworkNamespace(pin), { details: { code: 'EEXIST' } });
    assert.equal(readFileSync(pin, 'utf8'), 'mine');
  });
});

describe('mounts', () => {
  it('stack an overlay and take it away', async () => {
    const base = fresh('overlay');
    for (const name of ['lower', 'upper', 'work', 'merged']) mkdirSync(join(base, name));
    writeFileSync(join(base, 'lower', 'file'), 'from below');
    const target = join(base, 'merged');
    const data = `lowerdir=${base}/lower,upperdir=${base}/upper,workdir=${base}/work,userxattr`;
    mount({ source: 'overlay', target, type: 'overlay', data });
    assert.equal(readFileSync(join(target, 'file'), 'utf8'), 'from below');
    assert.equal(await isMounted(target), true);
    umount(target);
    assert.equal(await isMounted(target), false);
    unmountLazily(target);
  });

  it('forbid writing through a read-only bind, below it too', async () => {
    const base = fresh('binds');
    for (const name of ['source', 'target', 'source/inner']) mkdirSync(join(base, name));
    const inner = join(base, 'source/inner');
    mount({ source: 'none', target: inner, type: 'tmpfs', data: 'size=1m' });
    bindMount(join(base, 'source'), join(base, 'target'), { recursive: true, readOnly: true });
    for (const path of ['target/x', 'target/inner/x']) {
      assert.throws(() => writeFileSync(join(base, path), ''), { code: 'EROFS' });
    }
    writeFileSync(join(inner, 'x'), '');
    assert.equal((await mountsUnder(base)).length, 3);
    assert.equal(await unmountTree(base), 3);
    assert.deepEqual(await mountsUnder(base), []);
  });

  it('refuse options that the kernel would cut off', () => {
    const request = { source: 'none', target: dir, type: 'tmpfs', data: 'x'.repeat(4096) };
    assert.throws(() => mount(request), { kind: 'invalid-argument' });
    assert.throws(() => umount(`${dir}\0/etc`), { kind: 'invalid-argument' });
  });
});

describe('files', () => {
  it('carry extended attributes of any size', () => {
    const path = join(dir, 'attributes');
    writeFileSync(path, '');
    lsetxattr(path, 'user.short', Buffer.from('y'));
    lsetxattr(path, 'user.long', Buffer.alloc(1000, 'z'));
    assert.deepEqual(llistxattr(path).toSorted(), ['user.long', 'user.short']);
    assert.equal(lgetxattr(path, 'user.long')?.length, 1000);
    assert.equal(lgetxattr(path, 'user.none'), undefined);
    lremovexattr(path, 'user.short');
    assert.throws(() => lremovexattr(path, 'user.short'), {
      details: { code: 'ENODATA', call: 'lremovexattr' },
    });
  });

  it('can be fifos and overlay whiteouts', () => {
    mkfifo(join(dir, 'fifo'), 0o600);
    assert.equal(statSync(join(dir, 'fifo')).isFIFO(), true);
    mknod(join(dir, 'whiteout'), constants.S_IFCHR, { major: 0, minor: 0 });
    const { rdev } = statSync(join(dir, 'whiteout'));
    assert.equal(rdev, 0);
  });
});

describe('FileLock', () => {
  it('has one holder at a time', async () => {
    const path = join(dir, 'one.lock');
    const first = await FileLock.acquire(path);
    assert.ok(first);
    assert.equal(await FileLock.acquire(path), undefined);
    first.release();
    const second = await FileLock.acquire(path);
    assert.ok(second);
    second.release();
  });

  it('is not passed on to processes that the holder starts', async () => {
    const path = join(dir, 'inherited.lock');
    const held = await FileLock.acquire(path);
    const child = spawnProcess({ file: 'sleep', args: ['600'] }, { stdio: [] });
    held?.release();
    const again = await FileLock.acquire(path);
    assert.ok(again);
    again.release();
    child.kill('SIGKILL');
    await child.exited;
  });

  it('is free as soon as its holder was killed', async () => {
    const path = join(dir, 'killed.lock');
    const holder = spawnProcess(
      { file: 'flock', args: [path, 'sh', '-c', 'echo held; exec sleep 600'] },
      { stdio: ['ignore', 'pipe-out'], detached: true },
    );
    await once(holder.readable(1), 'data');
    assert.equal(await FileLock.acquire(path), undefined);
    process.kill(-holder.pid, 'SIGKILL');
    await holder.exited;
    // The kernel buries the shell that shares the lock in its own time.
    const lock = await eventually(() => FileLock.acquire(path));
    lock.release();
  });
});

describe('processes', () => {
  it('are found by their user namespace', async () => {
    const own = await processesInUserNamespace(namespaceInode('/proc/self/ns/user'));
    assert.ok(own.some(({ pid }) => pid === process.pid));
    assert.ok(((await readPssBytes(process.pid)) ?? 0) > 1_000_000);
  });

  it('are watched to their end without being our children', async () => {
    const child = spawnProcess(
      { file: 'sh', args: ['-c', 'sleep 600 & echo $!; wait $!'] },
      { stdio: ['ignore', 'pipe-out'] },
    );
    const [line] = await once(child.readable(1), 'data');
    const watch = watchExit(Number(line));
    process.kill(Number(line), 'SIGKILL');
    assert.equal(await watch.ended, undefined);
    assert.deepEqual(await child.exited, { exitCode: 137, signal: null });
  });

  it('count as ended when they were gone before the watch', async () => {
    const child = spawnProcess({ file: 'true', args: [] }, { stdio: [] });
    await child.exited;
    assert.equal(await watchExit(child.pid).ended, undefined);
  });
});

describe('a pseudo terminal', () => {
  it('carries a session with its size, resizes, and ends with the process', async () => {
    const terminal = openPseudoTerminal({ rows: 33, columns: 111 });
    const slot = { fd: terminal.slaveFd };
    const script = 'trap "stty size; exit 0" WINCH; stty size; while :; do sleep 0.05; done';
    const shell = spawnProcess(
      { file: 'setsid', args: ['--ctty', 'sh', '-c', script] },
      { stdio: [slot, slot, slot] },
    );
    terminal.releaseSlave();
    let output = '';
    terminal.master.on('data', (chunk: Buffer) => {
      if (output === '') terminal.resize({ rows: 50, columns: 20 });
      output += chunk.toString();
    });
    await once(terminal.master, 'end');
    assert.equal(output, '33 111\r\n50 20\r\n');
    assert.equal((await shell.exited).exitCode, 0);
    terminal.close();
    terminal.resize({ rows: 1, columns: 1 });
  });

  it('hands typed input to the process', async () => {
    const terminal = openPseudoTerminal();
    const slot = { fd: terminal.slaveFd };
    const cat = spawnProcess({ file: 'cat', args: [] }, { stdio: ['ignore', slot, slot] });
    const reader = spawnProcess({ file: 'head', args: ['-n1'] }, { stdio: [slot, 'pipe-out'] });
    terminal.releaseSlave();
    terminal.master.resume().write('typed\n');
    const [line] = await once(reader.readable(1), 'data');
    assert.equal(String(line), 'typed\n');
    await Promise.all([cat.exited, reader.exited]);
    terminal.close();
  });

  it('never blocks this program while the process does not read', async () => {
    const terminal = openPseudoTerminal();
    const slot = { fd: terminal.slaveFd };
    const script = 'stty raw -echo; echo ready >&3; read go <&4; head -c 100000 | wc -c';
    const reader = spawnProcess(
      { file: 'setsid', args: ['--ctty', 'sh', '-c', script] },
      { stdio: [slot, slot, slot, 'pipe-out', 'pipe-in'] },
    );
    terminal.releaseSlave();
    await once(reader.readable(3), 'data');
    const written = new Promise((resolve) => terminal.master.write(Buffer.alloc(100_000), resolve));
    // Only a program that is not stuck in the write above gets to say this.
    reader.writable(4).end('go\n');
    const [count] = await once(terminal.master, 'data');
    assert.equal(String(count).trim(), '100000');
    await Promise.all([written, reader.exited]);
    terminal.close();
  });
});
