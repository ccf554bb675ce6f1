import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { toDrvfs } from './drvfs-path.ts';
import type { VmParts } from './vm-driver.ts';
import { findWsl, plainText, type WslOptions, wslCommand } from './wsl-driver.ts';

const parts: VmParts = {
  kernel: '',
  initialRoot: '',
  root: '',
  dataDisk: '',
  programDisk: '',
  channelSocket: '\\\\.\\pipe\\wherry-vm',
  consoleLog: '',
  user: { uid: 1000, gid: 1000 },
  sharedDir: 'C:\\Users\\Me And You',
  apiSocket: undefined,
  cpus: 4,
  memoryMb: 4096,
};

/** A wsl.exe that keeps what it is told and answers in UTF-16, with the distributions in `listed`. */
async function fakeWsl({ list = '', failing = '' } = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'wsl-'));
  const said = (text: string) => Buffer.from(text, 'utf16le').toString('base64');
  const script = `#!/bin/sh
printf '%s\\n' "$*" >>${dir}/asked
say() { echo "$1" | base64 -d; }
[ "$1" = "${failing}" ] && { say ${said('It is broken\r\n')}; exit 255; }
[ "$1" = --list ] && say ${said(list)}
exit 0
`;
  await writeFile(join(dir, 'wsl.exe'), script);
  await chmod(join(dir, 'wsl.exe'), 0o755);
  let digest = 'first';
  const options: WslOptions = {
    distribution: 'wherry',
    installDir: join(dir, 'installed'),
    rootArchive: 'C:\\i\\root.tar',
    rootDigest: async () => digest,
    programsDir: 'C:\\Program Files\\wherry\\dist',
    bridge: { file: '/node', args: ['bridge.js'] },
  };
  const asked = async () => {
    const lines = (await readFile(join(dir, 'asked'), 'utf8')).trim().split('\n');
    await writeFile(join(dir, 'asked'), '');
    return lines;
  };
  const update = () => {
    digest = 'second';
  };
  return { dir, options, asked, update, [Symbol.asyncDispose]: () => rm(dir, { recursive: true }) };
}

test('a distribution that is not there is imported, once', async () => {
  await using wsl = await fakeWsl({ list: 'Ubuntu\r\nwherry-old\r\n' });
  const driver = await findWsl(wsl.dir, wsl.options);
  await driver.prepare?.(parts);
  assert.deepEqual(await wsl.asked(), [
    '--status',
    '--list --quiet',
    `--import wherry ${wsl.options.installDir} C:\\i\\root.tar --version 2`,
  ]);
});

test('one that is there gets a new root, keeps what is in it, and is left alone from then on', async () => {
  await using wsl = await fakeWsl({ list: 'Ubuntu\r\nwherry\r\n' });
  const driver = await findWsl(wsl.dir, wsl.options);
  const renewal = [
    '--list --quiet',
    '--distribution wherry --user root --exec /usr/bin/busybox tar -xf /mnt/c/i/root.tar -C /',
    '--terminate wherry',
  ];
  await driver.prepare?.(parts);
  assert.deepEqual(await wsl.asked(), ['--status', ...renewal]);
  await driver.prepare?.(parts);
  assert.deepEqual(await wsl.asked(), ['--list --quiet']);
  wsl.update();
  await driver.prepare?.(parts);
  assert.deepEqual(await wsl.asked(), renewal);
});

test('the machine is a program in the distribution, with a bridge around it', () => {
  const options: WslOptions = {
    distribution: 'wherry',
    installDir: '',
    rootArchive: '',
    rootDigest: async () => '',
    programsDir: 'C:\\Program Files\\wherry\\dist',
    bridge: { file: 'node.exe', args: ['bridge.js'] },
  };
  assert.deepEqual(wslCommand('wsl.exe', options, parts), {
    file: 'node.exe',
    args: [
      ...['bridge.js', '\\\\.\\pipe\\wherry-vm', 'wsl.exe', '--distribution', 'wherry'],
      ...['--user', 'root', '--exec', '/sbin/wsl-start', '/mnt/c/Program Files/wherry/dist'],
      ...['1000', '1000', '/mnt/c/Users/Me And You'],
    ],
    env: { WSL_UTF8: '1' },
  });
  const alone = wslCommand('wsl.exe', options, { ...parts, sharedDir: undefined });
  assert.equal(alone.args.at(-1), '1000');
});

test('without WSL, or one that is not ready, the error says what to install', async () => {
  await using wsl = await fakeWsl({ failing: '--status' });
  const install = /wsl --install --no-distribution/;
  await assert.rejects(findWsl('/nowhere', wsl.options), { kind: 'unavailable', message: install });
  await assert.rejects(findWsl(wsl.dir, wsl.options), (error: Error) => {
    assert.match(error.message, install);
    assert.match(error.message, /wsl\.exe says: It is broken\)$/);
    return true;
  });
});

test('an import that fails leaves no record, and its reason is told', async () => {
  await using wsl = await fakeWsl({ failing: '--import' });
  const driver = await findWsl(wsl.dir, wsl.options);
  const failed = /cannot import the distribution: wsl\.exe says: It is broken/;
  await assert.rejects(async () => driver.prepare?.(parts), failed);
  await assert.rejects(readFile(join(wsl.options.installDir, 'root.sha256')), /ENOENT/);
});

test('text is read in either encoding', () => {
  assert.equal(plainText(Buffer.from('\uFEFFwherry\r\n', 'utf16le').toString()), 'wherry');
  assert.equal(plainText('wherry\r\nUbuntu\n'), 'wherry\nUbuntu');
});

test('paths of Windows are found below /mnt', () => {
  assert.equal(toDrvfs('C:\\Users\\me'), '/mnt/c/Users/me');
  assert.equal(toDrvfs('d:/a//b\\'), '/mnt/d/a/b');
  assert.equal(toDrvfs('C:\\'), '/mnt/c');
  for (const path of ['\\\\server\\share', '/mnt/c', 'C:relative', '']) {
    assert.throws(() => toDrvfs(path), { kind: 'invalid-argument' });
  }
});
