import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../shared/errors.ts';
import { DEFAULT_GC } from './builder-setting.ts';
import { mergeSettings, type SettingSources } from './daemon-settings.ts';

function sources(parts: {
  flags?: Record<string, readonly string[]>;
  environment?: Record<string, string>;
  file?: unknown;
}): SettingSources {
  return {
    flags: new Map(Object.entries(parts.flags ?? {})),
    environment: parts.environment ?? {},
    ...(parts.file === undefined
      ? {}
      : { file: { path: '/c/daemon.json', text: JSON.stringify(parts.file) } }),
  };
}

function refusal(parts: Parameters<typeof sources>[0]): string {
  try {
    mergeSettings(sources(parts));
  } catch (error) {
    assert.ok(error instanceof EngineError);
    assert.equal(error.kind, 'invalid-argument');
    return error.message;
  }
  return assert.fail('the settings were accepted');
}

test('without any source every setting has its default', () => {
  assert.deepEqual(mergeSettings(sources({})), {
    hosts: [],
    logLevel: 'info',
    logFormat: 'text',
    registryMirrors: [],
    insecureRegistries: [],
    cdiSpecDirs: [],
    runtimes: {},
    logOptions: {},
    builderGc: DEFAULT_GC,
    additionalImageStores: [],
    sharedPlaces: [],
    addressPools: [],
    shutdownTimeoutSeconds: 15,
    defaultUserns: 'host',
    offline: false,
    maxConcurrentDownloads: 3,
    maxConcurrentUploads: 5,
    maxDownloadAttempts: 5,
    usernsMode: 'auto',
    hostLoopback: false,
    ipv6: false,
    privilegedPorts: 'refuse',
    machine: 'auto',
    networkDriver: 'auto',
  });
});

test('a flag wins over the environment, which wins over the file', () => {
  const file = { 'log-level': 'error', 'data-root': '/file', bip: '172.30.0.1/16' };
  const environment = { WHERRY_LOG_LEVEL: 'warn', WHERRY_EXEC_ROOT: '/environment' };
  const merged = mergeSettings(sources({ flags: { 'exec-root': ['/flag'] }, environment, file }));
  assert.equal(merged.logLevel, 'warn');
  assert.equal(merged.execRoot, '/flag');
  assert.equal(merged.dataRoot, '/file');
});

test('proxies stand in an object of their own in the file', () => {
  const proxies = { 'http-proxy': 'http://a:1', 'no-proxy': 'b' };
  const merged = mergeSettings(sources({ file: { proxies } }));
  assert.equal(merged.httpProxy, 'http://a:1');
  assert.equal(merged.httpsProxy, undefined);
  assert.equal(merged.noProxy, 'b');
  assert.match(refusal({ file: { proxies: { 'ftp-proxy': 'x' } } }), /ftp-proxy/);
  assert.match(refusal({ file: { 'max-concurrent-uploads': 0 } }), /0 is not 1 or more/);
});

test('a setting that is both flag and file directive is refused with both values', () => {
  const message = refusal({ flags: { 'log-level': ['info'] }, file: { 'log-level': 'warn' } });
  assert.match(
    message,
    /both as a flag and in the configuration file: log-level: \(from flag: "info", from file: "warn"\)/,
  );
});

test('an unknown key is refused with the nearest known one', () => {
  assert.match(refusal({ file: { 'registry-miror': [] } }), /did you mean "registry-mirrors"/);
});

test('an unknown flag is refused with the nearest known one', () => {
  assert.match(refusal({ flags: { dataroot: ['/x'] } }), /did you mean "--data-root"/);
});

test('a dockerd setting without effect here is refused instead of ignored', () => {
  assert.match(
    refusal({ file: { 'default-shm-size': 'syslog' } }),
    /"default-shm-size" in .* is not supported/,
  );
  assert.match(refusal({ flags: { tlsverify: ['true'] } }), /--tlsverify is not supported/);
});

test('a file that is no JSON object is refused with its path', () => {
  assert.match(refusal({ file: [] }), /\/c\/daemon\.json.*one JSON object/);
});

test('an empty file means no settings', () => {
  const empty = { ...sources({}), file: { path: '/c/daemon.json', text: ' \n' } };
  assert.equal(mergeSettings(empty).logLevel, 'info');
});

for (const [what, file] of [
  ['a word that is not in the list', { 'log-level': 'loud' }],
  ['a text where a list belongs', { hosts: 'unix:///x' }],
  ['a runtime without a path', { runtimes: { kata: {} } }],
  ['a mirror that is no URL', { 'registry-mirrors': ['mirror.example'] }],
  ['a bridge address without prefix length', { bip: '172.17.0.1' }],
  ['a pool that is no network', { 'default-address-pools': [{ base: '10.0.0.0', size: 24 }] }],
  ['a pool that is too small', { 'default-address-pools': [{ base: '10.0.0.0/24', size: 16 }] }],
  ['a shared store that is no absolute path', { 'additional-image-stores': ['images'] }],
  ['a fraction of a second', { 'shutdown-timeout': 1.5 }],
] as const) {
  test(`${what} is refused with the key's name`, () => {
    assert.match(refusal({ file }), new RegExp(`"${Object.keys(file)[0]}" in /c/daemon.json`));
  });
}

test('runtimes come from the file with arguments and from flags as name and path', () => {
  const fromFile = mergeSettings(
    sources({ file: { runtimes: { kata: { path: '/k', runtimeArgs: ['-x'] } } } }),
  );
  const fromFlag = mergeSettings(sources({ flags: { 'add-runtime': ['a=/a', 'b=/b=c'] } }));
  assert.deepEqual(fromFile.runtimes, { kata: { path: '/k', args: ['-x'] } });
  assert.deepEqual(fromFlag.runtimes, {
    a: { path: '/a', args: [] },
    b: { path: '/b=c', args: [] },
  });
});

test('debug is the lowest log level whatever else is said', () => {
  assert.equal(
    mergeSettings(sources({ flags: { debug: ['true'] }, file: { 'log-level': 'error' } })).logLevel,
    'debug',
  );
});

test('address pools are a list in the file and fields as flags', () => {
  const pools = [
    { base: '10.9.0.0/16', size: 24 },
    { base: 'fd00:9::/48', size: 64 },
  ];
  const file = { 'default-address-pools': pools };
  assert.deepEqual(mergeSettings(sources({ file })).addressPools, pools);
  const flags = {
    'default-address-pool': ['base=10.9.0.0/16,size=24', 'base=fd00:9::/48,size=64'],
  };
  assert.deepEqual(mergeSettings(sources({ flags })).addressPools, pools);
});

test('IPv6 of the default bridge has a network of its own only when there is IPv6', () => {
  const network = { 'fixed-cidr-v6': 'fd00:9::/64' };
  const { ipv6, fixedCidrV6 } = mergeSettings(sources({ file: { ipv6: true, ...network } }));
  assert.deepEqual([ipv6, fixedCidrV6], [true, 'fd00:9::/64']);
  assert.match(refusal({ file: network }), /fixed-cidr-v6: it has no effect without ipv6/);
  const wrong = { ipv6: true, 'fixed-cidr-v6': '10.0.0.0/8' };
  assert.match(refusal({ file: wrong }), /"10\.0\.0\.0\/8" is not an IPv6 network/);
});

test('log options are a map in the file and pairs as flags', () => {
  const fromFile = mergeSettings(
    sources({ file: { 'log-driver': 'local', 'log-opts': { 'max-size': '1m' } } }),
  );
  assert.equal(fromFile.logDriver, 'local');
  assert.deepEqual(fromFile.logOptions, { 'max-size': '1m' });
  const fromFlags = mergeSettings(sources({ flags: { 'log-opt': ['tag=a=b', 'max-file=3'] } }));
  assert.deepEqual(fromFlags.logOptions, { tag: 'a=b', 'max-file': '3' });
  assert.throws(() => mergeSettings(sources({ flags: { 'log-opt': ['tag'] } })), /NAME=VALUE/);
});
