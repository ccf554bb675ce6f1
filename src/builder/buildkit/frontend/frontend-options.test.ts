import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  cacheImportsOf,
  isListWanted,
  noCacheOf,
  platformsOf,
  pullOf,
  runSettingsOf,
} from './frontend-options.ts';

const options = (entries: Readonly<Record<string, string>>) => new Map(Object.entries(entries));
const HOST = { os: 'linux', architecture: 'amd64' };

test('platforms are a list, and more than one makes a list of results', () => {
  const two = options({ platform: 'linux/amd64,linux/arm64/v8' });
  const platforms = platformsOf(two, HOST);
  assert.deepEqual(platforms, [HOST, { os: 'linux', architecture: 'arm64' }]);
  assert.equal(isListWanted(two, platforms), true);
  assert.equal(isListWanted(options({}), [HOST]), false);
  assert.equal(isListWanted(options({ 'multi-platform': 'true' }), [HOST]), true);
  assert.throws(() => platformsOf(options({ platform: 'a/b/c/d' }), HOST), /target platform/);
});

test('the cache is left out for all stages or for some', () => {
  assert.equal(noCacheOf(options({})), 'none');
  assert.equal(noCacheOf(options({ 'no-cache': '' })), 'all');
  assert.deepEqual(noCacheOf(options({ 'no-cache': 'a,b' })), ['a', 'b']);
});

test('images are pulled always or when they are missing', () => {
  assert.equal(pullOf(options({ 'image-resolve-mode': 'pull' })), 'always');
  assert.equal(pullOf(options({ 'image-resolve-mode': 'local' })), 'missing');
  assert.throws(() => pullOf(options({ 'image-resolve-mode': 'never' })), /image-resolve-mode/);
});

test('RUN gets its network, hosts, limits', () => {
  const run = runSettingsOf(
    options({
      ...{ 'force-network-mode': 'host', 'add-hosts': 'a=1.2.3.4,b=::1', 'shm-size': '1024' },
      ...{ ulimit: 'nofile=10:20,core=0', memory: '4096', 'cgroup-parent': '/x' },
    }),
  );
  assert.equal(run.networkMode, 'host');
  assert.deepEqual(run.extraHosts, ['a:1.2.3.4', 'b:::1']);
  assert.equal(run.shmSizeBytes, 1024);
  assert.deepEqual(run.resources.Ulimits, [
    { Name: 'nofile', Soft: 10, Hard: 20 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ]);
  assert.equal(run.resources.Memory, 4096);
  assert.equal(run.resources.CgroupParent, '/x');
  for (const bad of [{ ulimit: 'x' }, { 'shm-size': '1g' }, { 'add-hosts': 'a' }]) {
    assert.throws(() => runSettingsOf(options(bad)), /invalid value for/);
  }
});

test('caches to import come in both forms', () => {
  const imports = cacheImportsOf(
    options({
      'cache-imports': '[{"Type":"local","Attrs":{"src":"x"}}]',
      'cache-from': 'r.test/a',
    }),
  );
  assert.deepEqual(imports, [
    { type: 'local', attributes: { src: 'x' } },
    { type: 'registry', attributes: { ref: 'r.test/a' } },
  ]);
  assert.throws(() => cacheImportsOf(options({ 'cache-imports': '{' })), /cache-imports/);
});
