/** IPv6, driver options of networks and endpoints, and the pools that subnets come from. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';

const pool = (base: string, size: number) => `--default-address-pool=base=${base},size=${size}`;
const daemon = await startDaemon({
  flags: [
    ...['--fixed-cidr=10.91.0.64/26', '--bip=10.91.0.1/24', pool('10.92.0.0/22', 24)],
    ...['--ipv6', '--fixed-cidr-v6=fd91::/64'],
  ],
});
after(() => daemon[Symbol.asyncDispose]());

const idle = (name: string, ...flags: readonly string[]) =>
  daemon.ok('run', '-d', '--name', name, ...flags, BUSYBOX, 'sleep', '1000');

async function refused(pattern: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await daemon.docker(...args);
  assert.notEqual(code, 0);
  assert.match(stderr, pattern);
}

const subnets = (network: string) =>
  daemon.ok('network', 'inspect', '-f', '{{range .IPAM.Config}}{{.Subnet}} {{end}}', network);

test('the default bridge has the IPv6 network of the settings, after a restart of the engine as well', async () => {
  assert.match(await subnets('bridge'), /^10\.91\.0\.0\/24 fd91::\/64$/);
  await idle('six', '--network', 'bridge');
  const format = '{{.NetworkSettings.GlobalIPv6Address}}';
  assert.equal(await daemon.ok('inspect', '-f', format, 'six'), 'fd91::2');
  await daemon.ok('exec', 'six', 'ping', '-6', '-c1', '-W2', 'fd91::1');
  await daemon.crashEngine();
  await idle('seven', '--network', 'bridge');
  assert.equal(await daemon.ok('inspect', '-f', format, 'seven'), 'fd91::3');
  await daemon.ok('exec', 'seven', 'ping', '-6', '-c1', '-W2', 'fd91::2');
  await daemon.ok('rm', '-f', 'six', 'seven');
});

test('members of a network with IPv6 reach each other by both families, names and reverse', async () => {
  await daemon.ok('network', 'create', '--ipv6', 'dual');
  assert.match(await subnets('dual'), /^10\.92\.0\.0\/24 fd[0-9a-f]{2}:\S+::\/64$/);
  await idle('one', '--network', 'dual');
  await idle('two', '--network', 'dual');
  await daemon.ok('exec', 'one', 'ping', '-6', '-c1', '-W2', 'two');
  await daemon.ok('exec', 'one', 'ping', '-4', '-c1', '-W2', 'two');
  const format = '{{.NetworkSettings.Networks.dual.GlobalIPv6Address}}';
  const address = await daemon.ok('inspect', '-f', format, 'two');
  assert.match(await daemon.ok('exec', 'one', 'nslookup', address), /name = two\.dual/);
  assert.match(
    await daemon.ok('exec', 'two', 'cat', '/etc/hosts'),
    new RegExp(`^${address}\t`, 'm'),
  );
  const members = await daemon.ok('network', 'inspect', '-f', '{{json .Containers}}', 'dual');
  assert.match(members, new RegExp(`"IPv6Address":"${address}/64"`));
  await daemon.crashEngine();
  await daemon.ok('exec', 'one', 'ping', '-6', '-c1', '-W2', 'two');
  await daemon.ok('rm', '-f', 'one', 'two');
  await daemon.ok('network', 'rm', 'dual');
});

test('what an endpoint asks for and does not get is told when its container is made', async () => {
  await daemon.ok('network', 'create', 'plain');
  const flags = ['--network', 'name=plain,driver-opt=sea=rough', '--link-local-ip', '169.254.7.7'];
  const { code, stderr } = await daemon.docker('create', '--name', 'asker', ...flags, BUSYBOX);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /DriverOpts sea is discarded on network plain/);
  assert.match(stderr, /LinkLocalIPs are discarded on network plain/);
  await daemon.ok('rm', 'asker');
  await daemon.ok('network', 'rm', 'plain');
});

test('IPv6 subnets, gateways and fixed addresses are those that were asked for', async () => {
  const ipv4 = ['--subnet', '10.77.0.0/16'];
  await daemon.ok(
    ...['network', 'create', '--ipv6', ...ipv4, '--subnet', 'fd77::/64', '--gateway', 'fd77::99'],
    'planned',
  );
  assert.equal(await subnets('planned'), '10.77.0.0/16 fd77::/64');
  await idle('fixed', '--network', 'planned', '--ip6', 'fd77:0::7');
  const show = (what: string) => daemon.ok('exec', 'fixed', 'ip', '-6', what);
  assert.match(await show('addr'), /inet6 fd77::7\/64/);
  assert.match(await show('route'), /^default via fd77::99 /m);
  const again = ['run', '--rm', '--network', 'planned', '--ip6', 'fd77::7', BUSYBOX, 'true'];
  await refused(/Address already in use/, ...again);
  const outside = ['run', '--rm', '--network', 'planned', '--ip6', 'fd78::7', BUSYBOX, 'true'];
  await refused(/no configured subnet contains IP address fd78::7/, ...outside);
  const overlap = ['--ipv6', '--subnet', '10.78.0.0/16', '--subnet', 'fd77::/80'];
  await refused(/Pool overlaps/, 'network', 'create', ...overlap, 'inner');
  await daemon.ok('network', 'create', '--internal', '--ipv6', 'inside');
  await daemon.ok('network', 'connect', '--gw-priority', '5', 'inside', 'fixed');
  assert.match(await show('route'), /^default via fd77::99 dev eth0/m);
  await daemon.ok('rm', '-f', 'fixed');
  await daemon.ok('network', 'rm', 'planned', 'inside');
});

test('subnets come from the pools of the daemon until none is left', async () => {
  assert.equal(await subnets('bridge'), '10.91.0.0/24 fd91::/64');
  const first = await daemon.ok('run', '--rm', BUSYBOX, 'ip', '-4', 'addr', 'show', 'eth0');
  assert.match(first, /inet 10\.91\.0\.64\/24/);
  const names = ['p0', 'p1', 'p2', 'p3'];
  for (const name of names) await daemon.ok('network', 'create', name);
  assert.equal(await subnets('p3'), '10.92.3.0/24');
  await refused(
    /all predefined address pools have been fully subnetted/,
    'network',
    'create',
    'p4',
  );
  await daemon.ok('network', 'rm', ...names);
});

test('a network without free addresses refuses the next container and serves the others', async () => {
  await daemon.ok('network', 'create', '--subnet', '10.93.0.0/29', 'narrow');
  const members = ['n2', 'n3', 'n4', 'n5', 'n6'];
  for (const name of members) await idle(name, '--network', 'narrow');
  const next = ['run', '--rm', '--network', 'narrow', BUSYBOX, 'true'];
  await refused(/no available IPv4 addresses on this network's address pools: narrow/, ...next);
  await daemon.ok('rm', '-f', 'n4');
  assert.match(await daemon.ok(...next.slice(0, -1), 'ip', '-4', 'addr'), /inet 10\.93\.0\.4\/29/);
  await daemon.ok('rm', '-f', ...members.filter((name) => name !== 'n4'));
  await daemon.ok('network', 'rm', 'narrow');
});

test('interfaces have the names and settings that were asked for, and a clash is refused', async () => {
  const option = 'com.docker.network.container_iface_prefix=lan';
  await daemon.ok('network', 'create', '-o', option, 'prefixed');
  await daemon.ok('network', 'create', 'other');
  const driver = 'driver-opt=com.docker.network.endpoint';
  const sysctl = `${driver}.sysctls=net.ipv4.conf.IFNAME.log_martians=1`;
  await idle('named', '--network', `name=other,${driver}.ifname=wan0,${sysctl}`);
  await daemon.ok('network', 'connect', 'prefixed', 'named');
  assert.match(await daemon.ok('exec', 'named', 'ip', 'link'), /wan0@.*lan0@/s);
  const martians = '/proc/sys/net/ipv4/conf/wan0/log_martians';
  assert.equal(await daemon.ok('exec', 'named', 'cat', martians), '1');
  const clash = ['--driver-opt', 'com.docker.network.endpoint.ifname=wan0', 'bridge', 'named'];
  await refused(/interface name wan0 is already in use/, 'network', 'connect', ...clash);
  await daemon.ok('exec', 'named', 'ping', '-c1', '-W2', 'named');
  await daemon.ok('network', 'connect', 'bridge', 'named');
  await daemon.ok('rm', '-f', 'named');
  await daemon.ok('network', 'rm', 'prefixed', 'other');
});

test('options of a bridge are honoured: name, neighbours, address of published ports', async () => {
  const bridge = (name: string, value: string) => [
    '-o',
    `com.docker.network.bridge.${name}=${value}`,
  ];
  await daemon.ok(
    ...['network', 'create', ...bridge('name', 'mine0'), ...bridge('enable_icc', 'false')],
    ...[...bridge('host_binding_ipv4', '127.0.0.1'), 'special'],
  );
  await refused(
    /bridge name mine0 is already in use/,
    'network',
    'create',
    ...bridge('name', 'mine0'),
    'x',
  );
  await refused(
    /gateway_mode_ipv4=routed is not supported/,
    'network',
    'create',
    ...bridge('gateway_mode_ipv4', 'routed'),
    'x',
  );
  await idle('left', '--network', 'special', '-p', '80');
  await idle('right', '--network', 'special');
  assert.match(await daemon.ok('port', 'left'), /^80\/tcp -> 127\.0\.0\.1:\d+$/);
  const { code } = await daemon.docker('exec', 'left', 'ping', '-c1', '-W1', 'right');
  assert.notEqual(code, 0);
  await daemon.ok('rm', '-f', 'left', 'right');
  await daemon.ok('network', 'rm', 'special');
});
