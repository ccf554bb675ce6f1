import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../oci/digest.ts';
import { EngineError } from '../../shared/errors.ts';
import type { MountPoint } from './container-document.ts';
import { resolveMounts } from './resolve-mounts.ts';

function fixture(existing: readonly string[] = []) {
  const made: string[] = [];
  const deps = {
    files: {
      kindOf: async (path: string) =>
        existing.includes(path) ? ('directory' as const) : ('missing' as const),
      makeDirectory: async (path: string) => void made.push(path),
    },
    volumes: {
      ensure: async ({ name }: { name: string | undefined }) => name ?? 'anon',
      mountpoint: (name: string) => `/volumes/${name}/_data`,
    },
    sharedPlaces: undefined,
    image: async (ref: string) => {
      if (ref !== 'files') throw new EngineError('not-found', `No such image: ${ref}`);
      return { id: digestOf('image'), layerChainIds: [digestOf('a'), digestOf('b')] };
    },
    mountsOf: (): readonly MountPoint[] => [],
  };
  return { deps, made };
}

test('a bind of a missing host path makes the directory', async () => {
  const { deps, made } = fixture();
  const [mount] = await resolveMounts(deps, {}, { Binds: ['/src:/dst:ro'] });
  assert.deepEqual(made, ['/src']);
  assert.equal(mount?.readOnly, true);
  assert.equal(mount?.type, 'bind');
});

test('a bind with a plain name is a named volume', async () => {
  const { deps } = fixture();
  const [mount] = await resolveMounts(deps, {}, { Binds: ['cache:/var/cache'] });
  assert.deepEqual([mount?.type, mount?.source], ['volume', '/volumes/cache/_data']);
});

test('the long form does not create a missing bind source', async () => {
  const { deps } = fixture();
  const Mounts = [{ Type: 'bind', Source: '/nope', Target: '/x' }];
  await assert.rejects(
    resolveMounts(deps, {}, { Mounts }),
    /bind source path does not exist: \/nope/,
  );
});

test('a volume declared by the image yields to a mount at the same place', async () => {
  const { deps } = fixture();
  const mounts = await resolveMounts(deps, { Volumes: { '/data/': {} } }, { Binds: ['v1:/data'] });
  assert.deepEqual(
    mounts.map((mount) => mount.name),
    ['v1'],
  );
});

test('a declared volume gets an anonymous one', async () => {
  const { deps } = fixture();
  const [mount] = await resolveMounts(deps, { Volumes: { '/data': {} } }, {});
  assert.deepEqual([mount?.name, mount?.anonymous], ['anon', true]);
});

test('two mounts at one place are refused', async () => {
  const { deps } = fixture();
  const hostConfig = { Binds: ['va:/x', 'vb:/x/'] };
  await assert.rejects(resolveMounts(deps, {}, hostConfig), /Duplicate mount point: \/x/);
});

test('outer mounts come before inner ones', async () => {
  const { deps } = fixture();
  const mounts = await resolveMounts(deps, {}, { Binds: ['va:/a/b'], Tmpfs: { '/a': '' } });
  assert.deepEqual(
    mounts.map((mount) => mount.destination),
    ['/a', '/a/b'],
  );
});

for (const [bind, message] of [
  ['a:b:c:d', /invalid volume specification/],
  ['/a:/b:wat', /invalid mode: wat/],
  ['va:rel', /mount path must be absolute/],
  ['va:/', /destination can't be '\/'/],
  ['a/b:/x', /includes invalid characters for a local volume name/],
] as const) {
  test(`the bind ${bind} is refused`, async () => {
    await assert.rejects(resolveMounts(fixture().deps, {}, { Binds: [bind] }), message);
  });
}

test('an image is mounted read-only by its topmost layer; one that is missing is an error of the mount', async () => {
  const { deps } = fixture();
  const request = { Type: 'image', Target: '/x', ImageOptions: { Subpath: 'sub' } };
  const [mount] = await resolveMounts(deps, {}, { Mounts: [{ ...request, Source: 'files' }] });
  assert.deepEqual(
    [mount?.type, mount?.source, mount?.readOnly, mount?.subpath],
    ['image', 'files', true, 'sub'],
  );
  assert.deepEqual([mount?.imageId, mount?.chainId], [digestOf('image'), digestOf('b')]);
  await assert.rejects(resolveMounts(deps, {}, { Mounts: [{ ...request, Source: 'none' }] }), {
    kind: 'invalid-argument',
    message: 'invalid mount config for type "image": No such image: none',
  });
});

test('with a machine that has not all files, other paths are refused instead of made', async () => {
  const { deps, made } = fixture();
  const partial = { ...deps, sharedPlaces: ['/home/me', '/run/docker.sock'] };
  for (const source of ['/opt/x', '/home/me2', '/home/me/../you', '/home', '/']) {
    const denied = {
      kind: 'invalid-argument',
      message: `mounts denied: the path ${source} is not shared with the virtual machine of the engine (shared with it: /home/me, /run/docker.sock)`,
    };
    await assert.rejects(resolveMounts(partial, {}, { Binds: [`${source}:/x`] }), denied);
    const Mounts = [{ Type: 'bind', Source: source, Target: '/x' }];
    await assert.rejects(resolveMounts(partial, {}, { Mounts }), denied);
  }
  await resolveMounts(
    partial,
    {},
    { Binds: ['/home/me/src/:/x', '/run//docker.sock:/y', 'vol:/z'] },
  );
  assert.deepEqual(made, ['/home/me/src/', '/run//docker.sock']);
  const nothing = { ...deps, sharedPlaces: [] };
  const mounts = resolveMounts(nothing, {}, { Binds: ['/x:/x'] });
  await assert.rejects(mounts, /\(nothing of this computer is shared with it\)/);
});
