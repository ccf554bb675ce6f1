import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import { makeTestHome } from '../support/test-home.ts';

const home = await makeTestHome();
const vendorDir = join(home.root, 'vendor');
const cdiDir = join(home.root, 'cdi');
const daemon = await startDaemon({ home, flags: [`--cdi-spec-dir=${cdiDir}`] });
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await home[Symbol.asyncDispose]();
});

/** A device as a vendor's tool would describe it. */
const SPEC = `
cdiVersion: "0.7.0"
kind: vendor.com/class
containerEdits:
  env: [VENDOR=yes]
devices:
  - name: first
    containerEdits:
      deviceNodes: [{ path: /dev/first, hostPath: /dev/zero }]
      mounts: [{ hostPath: ${vendorDir}, containerPath: /opt/vendor, options: [ro, rbind] }]
      additionalGids: [44]
      hooks:
        - hookName: createContainer
          path: /bin/sh
          args: [sh, -c, "echo hooked > ${vendorDir}/hook"]
`;

test('a device that a vendor describes brings its nodes, files, variables, groups and hooks', async () => {
  await mkdir(vendorDir);
  await mkdir(cdiDir);
  await writeFile(join(cdiDir, 'vendor.yaml'), SPEC);
  const script =
    'test -c /dev/first && echo $VENDOR; cat /opt/vendor/hook; id -G; touch /opt/vendor/x';
  const run = ['run', '--name', 'with', '--device', 'vendor.com/class=first'];
  const { stdout, stderr } = await daemon.docker(...run, BUSYBOX, 'sh', '-c', script);
  const [vendor, hooked, groups = ''] = stdout.split('\n');
  assert.deepEqual([vendor, hooked], ['yes', 'hooked'], stderr);
  assert.ok(groups.split(' ').includes('44'), groups);
  assert.match(stderr, /Read-only file system/);
  const requests = await daemon.ok('inspect', '-f', '{{json .HostConfig.DeviceRequests}}', 'with');
  assert.match(requests, /"Driver":"cdi".*"DeviceIDs":\["vendor\.com\/class=first"\]/);
  await daemon.ok('rm', 'with');
});

test('info has the directories and the devices', async () => {
  const info = (await daemon.get('/info')) as Readonly<Record<string, unknown>>;
  assert.deepEqual(info['CDISpecDirs'], [cdiDir]);
  assert.deepEqual(info['DiscoveredDevices'], [{ Source: 'cdi', ID: 'vendor.com/class=first' }]);
});

test('devices that nobody describes are refused in Docker’s words when the container starts', async () => {
  const unknown = await daemon.docker(
    'run',
    '--rm',
    '--device',
    'vendor.com/class=x',
    BUSYBOX,
    'true',
  );
  assert.equal(unknown.code, 125);
  assert.match(
    unknown.stderr,
    /CDI device injection failed: unresolvable CDI devices vendor\.com\/class=x/,
  );
  const gpus = await daemon.docker('run', '--rm', '--gpus', 'all', BUSYBOX, 'true');
  assert.equal(gpus.code, 125);
  assert.match(gpus.stderr, /could not select device driver "" with capabilities: \[\[gpu\]\]/);
});
