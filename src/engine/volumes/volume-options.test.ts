import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkVolumeOptions, volumeMount } from './volume-options.ts';

test('a volume without options mounts nothing', () => {
  checkVolumeOptions('v1', {});
  assert.equal(volumeMount({}), undefined);
});

test('tmpfs and bind are what a user namespace can mount', () => {
  assert.deepEqual(volumeMount({ type: 'tmpfs', device: 'tmpfs', o: 'size=1m,uid=5' }), {
    type: 'tmpfs',
    device: 'tmpfs',
    options: ['size=1m', 'uid=5'],
  });
  const bind = { type: 'none', device: '/srv', o: 'bind' };
  checkVolumeOptions('v1', bind);
  assert.deepEqual(volumeMount(bind), { type: 'bind', device: '/srv', options: ['bind'] });
});

for (const [options, message] of [
  [{ color: 'red' }, /^create v1: invalid option: "color"$/],
  [{ type: 'tmpfs' }, /^create v1: missing required option: "device"$/],
  [{ o: 'bind', device: '/x' }, /^create v1: missing required option: "type"$/],
  [{ size: '1g' }, /quota size requested but no quota support/],
  [{ type: 'nfs', device: ':/x', o: 'addr=10.0.0.1' }, /cannot mount volumes of type "nfs"/],
  [{ type: 'ext4', device: '/dev/sda1' }, /cannot mount volumes of type "ext4"/],
  [{ type: 'none', device: 'x', o: 'bind' }, /must be an absolute path/],
  [{ type: 'none', device: '/x', o: 'bind,uid=5' }, /does not take the mount option "uid=5"/],
] as const) {
  test(`the options ${JSON.stringify(options)} are refused`, () => {
    assert.throws(() => checkVolumeOptions('v1', options), { kind: 'invalid-argument', message });
  });
}

test('a bind of what the machine does not have is refused', () => {
  const bind = { type: 'none', device: '/srv', o: 'bind' };
  assert.throws(
    () => checkVolumeOptions('v1', bind, ['/home/me']),
    /mounts denied: the path \/srv/,
  );
  checkVolumeOptions('v1', { ...bind, device: '/home/me/data' }, ['/home/me']);
});
