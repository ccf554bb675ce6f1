import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../shared/errors.ts';
import { parseSlirpFeatures, type SlirpFeatures } from './features.ts';
import { type SlirpOptions, slirpAddresses, slirpArguments } from './options.ts';

const options: SlirpOptions = {
  targetPid: 7,
  tapName: 'tap0',
  mtu: 65520,
  cidr: '10.0.2.0/24',
  ipv6: false,
  disableHostLoopback: true,
  sandbox: true,
  seccomp: true,
  apiSocketPath: '/run/x/slirp.sock',
};

const features: SlirpFeatures = {
  version: '1.2.0',
  exitFd: true,
  apiSocket: true,
  disableHostLoopback: true,
  sandbox: true,
  seccomp: true,
  ipv6: true,
};

const fds = { readyFd: 3, exitFd: 4 };

test('every wanted protection becomes an argument, with the process and the interface last', () => {
  assert.deepEqual(slirpArguments(options, fds, features), [
    '--configure',
    '--mtu=65520',
    '--cidr=10.0.2.0/24',
    '--ready-fd=3',
    '--exit-fd=4',
    '--disable-host-loopback',
    '--enable-sandbox',
    '--enable-seccomp',
    '--api-socket=/run/x/slirp.sock',
    '7',
    'tap0',
  ]);
});

test('an option the installed version lacks is refused by name instead of being dropped', () => {
  assert.throws(
    () => slirpArguments(options, fds, { ...features, seccomp: false }),
    (error) => error instanceof EngineError && /--enable-seccomp/.test(error.message),
  );
});

for (const [what, wrong] of [
  ['an MTU beyond what the program takes', { mtu: 65522 }],
  ['a network with host bits', { cidr: '10.0.2.1/24' }],
  ['a network too small for the fixed addresses', { cidr: '10.0.2.0/26' }],
  ['an IPv6 network', { cidr: 'fd00::/64' }],
  ['an interface name that reads like an option and a path', { tapName: '../tap' }],
  ['a process id that is none', { targetPid: 0 }],
  ['a relative socket path', { apiSocketPath: 'slirp.sock' }],
] as const) {
  test(`${what} is refused before anything starts`, () => {
    assert.throws(
      () => slirpArguments({ ...options, ...wrong }, fds, features),
      (error) => error instanceof EngineError && error.kind === 'invalid-argument',
    );
  });
}

test('the addresses inside follow from the network', () => {
  assert.deepEqual(slirpAddresses('10.0.3.128/25'), {
    guest: '10.0.3.228',
    gateway: '10.0.3.130',
    nameserver: '10.0.3.131',
    prefixLength: 25,
  });
});

test('features are read from the texts of the program', () => {
  const read = parseSlirpFeatures(
    'slirp4netns version 1.2.0\ncommit: x\nlibseccomp: 2.5.4\n',
    '-e, --exit-fd=FD\n-a, --api-socket=PATH\n--disable-host-loopback\n--enable-sandbox\n--enable-seccomp\n-6, --enable-ipv6',
  );
  assert.deepEqual(read, features);
});

test('a binary built without libseccomp does not count as able to filter system calls', () => {
  assert.equal(
    parseSlirpFeatures('slirp4netns version 0.4.2\n', '--enable-seccomp').seccomp,
    false,
  );
});

test('a text of another program is refused', () => {
  assert.throws(() => parseSlirpFeatures('pasta 1.0', ''), /version text/);
});
