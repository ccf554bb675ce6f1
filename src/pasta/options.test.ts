import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../shared/errors.ts';
import { type PastaFeatures, parsePastaFeatures } from './features.ts';
import { type PastaOptions, pastaArguments } from './options.ts';

const options: PastaOptions = {
  targetPid: 7,
  interfaceName: 'tap0',
  mtu: 65520,
  ipv4: {
    address: '10.0.2.100',
    gateway: '10.0.2.2',
    nameserver: '10.0.2.3',
    prefixLength: 24,
  },
  pidPath: '/run/x/pid',
  logPath: '/run/x/log',
};

const features: PastaFeatures = {
  version: '2024_01_01.abc',
  configuresNetwork: true,
  namesInterface: true,
  forwardsDns: true,
  closesHostLoopback: true,
};

const text = (change: Partial<PastaOptions>) =>
  pastaArguments({ ...options, ...change }, features).join(' ');

test('no port is forwarded in any direction, and the gateway does not mean the host', () => {
  assert.match(
    text({}),
    /--no-map-gw --tcp-ports none --udp-ports none --tcp-ns none --udp-ns none/,
  );
});

test('the process comes last, and IPv4 is alone unless addresses of IPv6 are given', () => {
  assert.match(text({}), /--ipv4-only .* 7$/);
  const both = text({ ipv6: { address: 'fd00::100', gateway: 'fd00::2' } });
  assert.match(both, /--address fd00::100 --gateway fd00::2/);
  assert.doesNotMatch(both, /--ipv4-only/);
});

test('a version that cannot close the loopback of the host is refused', () => {
  assert.throws(
    () => pastaArguments(options, { ...features, closesHostLoopback: false }),
    (error) => error instanceof EngineError && /--no-map-gw/.test(error.message),
  );
});

for (const [what, wrong] of [
  ['an MTU beyond what the program takes', { mtu: 65521 }],
  ['an interface name that is a path', { interfaceName: '../tap' }],
  ['a process id that is none', { targetPid: 0 }],
  ['a gateway of the other family', { ipv4: { ...options.ipv4, gateway: 'fd00::2' } }],
  ['an IPv6 address that is none', { ipv6: { address: 'x', gateway: 'fd00::2' } }],
] as const) {
  test(`${what} is refused before anything starts`, () => {
    assert.throws(
      () => pastaArguments({ ...options, ...wrong }, features),
      (error) => error instanceof EngineError && error.kind === 'invalid-argument',
    );
  });
}

test('features are read from the texts of the program, whatever it says of its version', () => {
  const help = '--config-net\n -I, --ns-ifname NAME\n --dns-forward ADDR\n --no-map-gw';
  assert.deepEqual(parsePastaFeatures('pasta 2024_01_01.abc\nCopyright', help), features);
  assert.equal(parsePastaFeatures('pasta unknown version\n', '').version, 'unknown version');
  assert.throws(() => parsePastaFeatures('slirp4netns version 1.2.0', help), /version text/);
});
