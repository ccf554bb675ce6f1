import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { CdiRegistry } from './cdi-registry.ts';
import { requestedDevices } from './device-requests.ts';
import { specParts } from './spec-parts.ts';

let root: string;
const warnings: string[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wherry-cdi-'));
  warnings.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(dir: string, name: string, content: object | string): Promise<void> {
  await mkdir(join(root, dir), { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  await writeFile(join(root, dir, name), text);
}

/** Directories in the order in which they count. */
const registry = (...dirs: readonly string[]) =>
  new CdiRegistry(
    dirs.map((dir) => join(root, dir)),
    (message) => warnings.push(message),
  );

const specOf = (value: string) => ({
  cdiVersion: '0.6.0',
  kind: 'vendor.com/net',
  containerEdits: { env: ['COMMON=1'] },
  devices: [
    { name: 'one', containerEdits: { env: [`VALUE=${value}`] } },
    { name: 'two', containerEdits: { env: ['TWO=2'] } },
  ],
});

const YAML = `
cdiVersion: "0.5.0"
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits:
      deviceNodes:
        - path: /dev/zero
  - name: all
    containerEdits:
      deviceNodes:
        - path: /dev/zero
`;

test('files in JSON and YAML are read, and other ones left alone', async () => {
  await write('etc', 'net.json', specOf('a'));
  await write('etc', 'gpu.yaml', YAML);
  await write('etc', 'README', 'not a description');
  const expected = ['nvidia.com/gpu=0', 'nvidia.com/gpu=all', 'vendor.com/net=one'];
  assert.deepEqual(await registry('etc', 'missing').names(), [...expected, 'vendor.com/net=two']);
  assert.deepEqual(warnings, []);
});

test('what a file says for all its devices comes once, and before what each says', async () => {
  await write('etc', 'net.json', specOf('a'));
  const edits = await registry('etc').edits(['vendor.com/net=one', 'vendor.com/net=two']);
  assert.deepEqual(edits.env, ['COMMON=1', 'VALUE=a', 'TWO=2']);
});

test('a later directory counts more, and a contradiction within one counts as nothing', async () => {
  await write('etc', 'net.json', specOf('etc'));
  await write('run', 'net.json', specOf('run'));
  const edits = await registry('etc', 'run').edits(['vendor.com/net=one']);
  assert.deepEqual(edits.env, ['COMMON=1', 'VALUE=run']);
  await write('run', 'other.json', specOf('other'));
  await assert.rejects(registry('etc', 'run').edits(['vendor.com/net=one']), /unresolvable/);
  assert.match(warnings[0] ?? '', /vendor\.com\/net=one is defined twice/);
});

test('broken files are told of and do not hide the others', async () => {
  await write('etc', 'a.json', '{');
  await write('etc', 'b.json', { cdiVersion: '0.6.0', kind: 'no-class', devices: [] });
  await write('etc', 'net.json', specOf('a'));
  assert.equal((await registry('etc').names()).length, 2);
  assert.equal(warnings.length, 2);
  assert.match(warnings.join('\n'), /b\.json: kind: /);
});

test('an unknown device is refused with Docker’s text', async () => {
  await assert.rejects(registry('etc').edits(['a.com/b=c', 'a.com/b=d']), {
    kind: 'invalid-argument',
    message: 'CDI device injection failed: unresolvable CDI devices a.com/b=c, a.com/b=d',
  });
});

test('requests for GPUs are met by who describes them, and refused in Docker’s words otherwise', () => {
  const known = ['nvidia.com/gpu=0', 'nvidia.com/gpu=all'];
  const gpu = { Capabilities: [['gpu']] };
  assert.deepEqual(requestedDevices([{ ...gpu, Count: -1 }], known), ['nvidia.com/gpu=all']);
  assert.deepEqual(requestedDevices([{ ...gpu, Count: 2 }], known), [
    'nvidia.com/gpu=0',
    'nvidia.com/gpu=1',
  ]);
  assert.deepEqual(requestedDevices([{ ...gpu, Driver: 'nvidia', DeviceIDs: ['x'] }], known), [
    'nvidia.com/gpu=x',
  ]);
  const message = 'could not select device driver "" with capabilities: [[gpu]]';
  assert.throws(() => requestedDevices([{ ...gpu, Count: -1 }], []), { message });
  assert.throws(() => requestedDevices([{ Driver: 'tpu', Capabilities: [] }], known), {
    message: 'could not select device driver "tpu" with capabilities: []',
  });
  assert.throws(() => requestedDevices([{ Driver: 'cdi', Count: 1 }], known), {
    message: 'unexpected count in CDI device request',
  });
});

test('edits become mounts, variables, hooks and groups of the configuration', async () => {
  await write('etc', 'all.json', {
    cdiVersion: '0.7.0',
    kind: 'vendor.com/all',
    devices: [
      {
        name: 'one',
        containerEdits: {
          deviceNodes: [{ path: '/dev/inside', hostPath: '/dev/zero' }],
          mounts: [{ hostPath: '/etc', containerPath: '/vendor', options: ['ro'] }],
          hooks: [{ hookName: 'createContainer', path: '/bin/true', args: ['true'] }],
          additionalGids: [0, 44],
        },
      },
    ],
  });
  const parts = await specParts(await registry('etc').edits(['vendor.com/all=one']), 100);
  assert.deepEqual(
    parts.mounts.map(({ source, destination, options }) => [source, destination, options]),
    [
      ['/dev/zero', '/dev/inside', ['bind', 'rprivate', 'nosuid', 'noexec']],
      ['/etc', '/vendor', ['rbind', 'ro']],
    ],
  );
  const hook = { path: '/bin/true', args: ['true'] };
  assert.deepEqual(parts.hooks, { createContainer: [hook] });
  assert.deepEqual(parts.gids, [44]);
});

test('what cannot be given is refused with the reason', async () => {
  const edits = async (containerEdits: object) => {
    const devices = [{ name: 'd', containerEdits }];
    await write('etc', 'a.json', { cdiVersion: '0.7.0', kind: 'a.com/b', devices });
    return await registry('etc').edits(['a.com/b=d']);
  };
  const refused = async (containerEdits: object, message: RegExp) =>
    assert.rejects(specParts(await edits(containerEdits), 10), { message });
  await refused({ additionalGids: [44] }, /group 44 is not mapped/);
  await refused({ hooks: [{ hookName: 'poststop', path: '/x' }] }, /hook poststop is never run/);
  await refused({ intelRdt: {} }, /intelRdt takes root/);
  await refused({ deviceNodes: [{ path: '/dev/nowhere' }] }, /custom device "\/dev\/nowhere"/);
});
