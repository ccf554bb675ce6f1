import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MountRequest } from '../../wire/container-config.ts';
import { checkMount } from './check-mount.ts';

const refusals: readonly (readonly [MountRequest, RegExp])[] = [
  [{ Type: 'image', Target: '/x' }, /field Source must not be empty/],
  [
    { Type: 'image', Source: 'a', Target: '/x', ImageOptions: { Subpath: '../b' } },
    /subpath must be a relative path within the image/,
  ],
  [{ Type: 'npipe', Target: '/x' }, /"npipe": mount type unknown/],
  [{ Type: 'volume', Target: '' }, /field Target must not be empty/],
  [{ Type: 'volume', Target: 'x' }, /invalid mount path: 'x' mount path must be absolute/],
  [{ Type: 'bind', Target: '/x' }, /field Source must not be empty/],
  [{ Type: 'bind', Source: 'a', Target: '/x' }, /invalid mount path: 'a'/],
  [{ Type: 'bind', Source: '/a', Target: '/x', VolumeOptions: {} }, /field VolumeOptions must not/],
  [
    { Type: 'bind', Source: '/a', Target: '/x', BindOptions: { Propagation: 'wide' } },
    /invalid propagation mode: wide/,
  ],
  ...(
    [
      [false, { ReadOnlyNonRecursive: true }, /!ReadOnly && BindOptions.ReadOnlyNonRecursive/],
      [false, { ReadOnlyForceRecursive: true }, /!ReadOnly && BindOptions.ReadOnlyForceRecursive/],
      [true, { ReadOnlyForceRecursive: true, ReadOnlyNonRecursive: true }, /ReadOnlyNonRecursive/],
      [true, { ReadOnlyForceRecursive: true, NonRecursive: true }, /BindOptions.NonRecursive/],
      [true, { ReadOnlyForceRecursive: true, Propagation: 'rslave' }, /Propagation "rslave"/],
    ] as const
  ).map(
    ([ReadOnly, BindOptions, message]) =>
      [{ Type: 'bind', Source: '/a', Target: '/x', ReadOnly, BindOptions }, message] as const,
  ),
  [{ Type: 'tmpfs', Source: 'a', Target: '/x' }, /field Source must not be specified/],
  [{ Type: 'volume', Target: '/x', ReadOnly: true }, /must not set ReadOnly mode when using anon/],
  [
    { Type: 'volume', Target: '/x', VolumeOptions: { Subpath: 'a' } },
    /must not set Subpath when using anonymous volumes/,
  ],
  ...['/a', '..', 'a/../../b'].map(
    (Subpath) =>
      [
        { Type: 'volume', Source: 'v1', Target: '/x', VolumeOptions: { Subpath } },
        /subpath must be a relative path within the volume/,
      ] as const,
  ),
];

for (const [request, message] of refusals) {
  test(`the mount ${JSON.stringify(request)} is refused`, () => {
    assert.throws(() => checkMount(request), { kind: 'invalid-argument', message });
  });
}

test('a path within a volume may go up as long as it stays inside', () => {
  checkMount({
    Type: 'volume',
    Source: 'v1',
    Target: '/x',
    VolumeOptions: { Subpath: 'a/../b/./c' },
  });
});
