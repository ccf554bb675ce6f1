import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** A container that idles on a network. */
const idle = (name: string, network: string, ...flags: readonly string[]) =>
  daemon.ok('run', '-d', '--name', name, '--network', network, ...flags, BUSYBOX, 'sleep', '1000');

const removeAll = async (containers: readonly string[], networks: readonly string[]) => {
  await daemon.ok('rm', '-f', ...containers);
  await daemon.ok('network', 'rm', ...networks);
};

const inspect = (name: string, format: string) => daemon.ok('inspect', '-f', format, name);

/** The addresses that a container finds for a name, sorted. */
async function lookup(container: string, name: string): Promise<readonly string[]> {
  const { stdout } = await daemon.docker('exec', container, 'nslookup', '-type=a', name);
  const answers = stdout.split('\n\n').slice(1).join('\n');
  return [...answers.matchAll(/^Address:\s+(\d+\.\d+\.\d+\.\d+)$/gm)]
    .map(([, address = '']) => address)
    .toSorted();
}

/** Refusals: the docker client ends with 1 and the daemon's text. */
async function refused(pattern: RegExp, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await daemon.docker(...args);
  assert.notEqual(code, 0);
  assert.match(stderr, pattern);
}

test('members find each other by name, alias, short id and in reverse; a shared alias gives all', async () => {
  await daemon.ok('network', 'create', 'names');
  await idle('one', 'names', '--network-alias', 'both', '--network-alias', 'first');
  await idle('two', 'names', '--network-alias', 'both');
  const address = '{{.NetworkSettings.Networks.names.IPAddress}}';
  const [one, two] = [await inspect('one', address), await inspect('two', address)];
  const shortId = (await inspect('one', '{{.Id}}')).slice(0, 12);
  for (const name of ['one', 'first', shortId, 'ONE', 'one.names']) {
    assert.deepEqual(await lookup('two', name), [one], name);
  }
  assert.deepEqual(await lookup('two', 'both'), [one, two].toSorted());
  const reverse = await daemon.ok('exec', 'two', 'nslookup', one);
  assert.match(reverse, /name = one\.names/);
  await daemon.ok('exec', 'two', 'ping', '-c1', '-W2', 'one');
  assert.match(
    await daemon.ok('exec', 'one', 'cat', '/etc/resolv.conf'),
    /^nameserver 127\.0\.0\.11$/m,
  );
  assert.match(await daemon.ok('exec', 'one', 'cat', '/etc/resolv.conf'), /ndots:0/);
  await daemon.ok('rename', 'one', 'uno');
  assert.deepEqual(await lookup('two', 'uno'), [one]);
  assert.deepEqual(await lookup('two', 'one'), []);
  await removeAll(['uno', 'two'], ['names']);
});

test('addresses come from the subnet that was asked for, and fixed ones outlive a restart', async () => {
  const flags = [
    '--subnet',
    '10.77.0.0/16',
    '--gateway',
    '10.77.0.9',
    '--ip-range',
    '10.77.5.0/24',
  ];
  await daemon.ok('network', 'create', ...flags, '--aux-address', 'router=10.77.5.1', 'planned');
  const config = '{{json (index .IPAM.Config 0)}}';
  assert.deepEqual(JSON.parse(await daemon.ok('network', 'inspect', '-f', config, 'planned')), {
    Subnet: '10.77.0.0/16',
    IPRange: '10.77.5.0/24',
    Gateway: '10.77.0.9',
    AuxiliaryAddresses: { router: '10.77.5.1' },
  });
  await idle('fixed', 'planned', '--ip', '10.77.7.7', '--mac-address', '02:42:00:00:77:77');
  await idle('chosen', 'planned');
  const address = '{{.NetworkSettings.Networks.planned.IPAddress}}';
  assert.match(await inspect('chosen', address), /^10\.77\.5\.[02]$/);
  assert.match(await daemon.ok('exec', 'fixed', 'ip', 'route'), /^default via 10\.77\.0\.9 /m);
  await daemon.ok('restart', '-t', '0', 'fixed');
  assert.equal(await inspect('fixed', address), '10.77.7.7');
  assert.match(await daemon.ok('exec', 'fixed', 'ip', 'link'), /02:42:00:00:77:77/);
  const clash = ['run', '--rm', '--network', 'planned', '--ip', '10.77.7.7', BUSYBOX, 'true'];
  await refused(/Address already in use/, ...clash);
  const outside = ['run', '--rm', '--network', 'planned', '--ip', '10.78.0.1', BUSYBOX, 'true'];
  await refused(/no configured subnet contains IP address 10\.78\.0\.1/, ...outside);
  await removeAll(['fixed', 'chosen'], ['planned']);
});

test('a name may have spaces, and options that nobody gave are null', async () => {
  await daemon.ok('network', 'create', 'two words');
  const format = ['network', 'inspect', '-f', '{{.Name}} {{json .IPAM.Options}}'];
  assert.equal(await daemon.ok(...format, 'two words'), 'two words {}');
  await daemon.ok('network', 'rm', 'two words');
  const request = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const body = JSON.stringify({ Name: 'plain' });
  await requestOverSocket(daemon.socketPath, '/networks/create', { ...request, body });
  assert.equal(await daemon.ok(...format, 'plain'), 'plain null');
  await daemon.ok('network', 'rm', 'plain');
});

test('what cannot be made is refused with the reason', async () => {
  await daemon.ok('network', 'create', '--subnet', '10.66.0.0/16', '--label', 'kind=x', 'taken');
  await refused(/network with name taken already exists/, 'network', 'create', 'taken');
  await refused(
    /operation is not permitted on predefined host network/,
    'network',
    'create',
    'host',
  );
  const overlap = ['network', 'create', '--subnet', '10.66.3.0/24', 'inner'];
  await refused(/Pool overlaps with other one on this address space/, ...overlap);
  await refused(/macvlan is not supported/, 'network', 'create', '-d', 'macvlan', 'lan');
  const uplink = ['network', 'create', '--subnet', '10.0.2.0/25', 'shadow'];
  await refused(/within the network that the way out of containers uses/, ...uplink);
  const two = ['--subnet', '10.1.0.0/16', '--subnet', '10.2.0.0/16'];
  await refused(/doesn't support multiple subnets/, 'network', 'create', ...two, 'twice');
  await refused(/plugin "weave" not found/, 'network', 'create', '-d', 'weave', 'woven');
  await refused(
    /network nowhere not found/,
    'run',
    '--rm',
    '--network',
    'nowhere',
    BUSYBOX,
    'true',
  );
  await refused(/bridge is a pre-defined network and cannot be removed/, 'network', 'rm', 'bridge');
  await idle('guest', 'taken');
  await refused(/has active endpoints/, 'network', 'rm', 'taken');
  const names = ['network', 'ls', '-q', '--format', '{{.Name}}', '--filter'];
  assert.equal(await daemon.ok(...names, 'label=kind=x'), 'taken');
  assert.equal(await daemon.ok(...names, 'type=custom'), 'taken');
  assert.equal(await daemon.ok(...names, 'dangling=true'), '');
  assert.doesNotMatch(await daemon.ok('network', 'prune', '-f'), /taken/);
  await daemon.ok('rm', '-f', 'guest');
  assert.match(await daemon.ok('network', 'prune', '-f'), /taken/);
});

test('running, stopped and new containers are connected and disconnected', async () => {
  await daemon.ok('network', 'create', 'left');
  await daemon.ok('network', 'create', 'right');
  await idle('mover', 'left');
  await idle('peer', 'right');
  const peer = await inspect('peer', '{{.NetworkSettings.Networks.right.IPAddress}}');
  await daemon.ok('network', 'connect', '--alias', 'moved', 'right', 'mover');
  await refused(/already exists in network right/, 'network', 'connect', 'right', 'mover');
  assert.deepEqual(await lookup('mover', 'peer'), [peer]);
  assert.equal((await lookup('peer', 'moved')).length, 1);
  await daemon.ok('exec', 'mover', 'ping', '-c1', '-W2', 'peer');
  assert.match(
    await daemon.ok('network', 'inspect', '-f', '{{json .Containers}}', 'right'),
    /mover/,
  );
  await daemon.ok('network', 'disconnect', 'left', 'mover');
  assert.match(await daemon.ok('exec', 'mover', 'ip', 'route'), /^default via \S+ dev eth1/m);
  await refused(/is not connected to the network left/, 'network', 'disconnect', 'left', 'mover');
  await daemon.ok('restart', '-t', '0', 'mover');
  assert.deepEqual(await lookup('mover', 'peer'), [peer]);
  await daemon.ok('stop', '-t', '0', 'mover');
  await daemon.ok('network', 'connect', 'left', 'mover');
  await daemon.ok('network', 'disconnect', 'right', 'mover');
  await daemon.ok('start', 'mover');
  const networks = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}';
  assert.equal(await inspect('mover', networks), 'left');
  await daemon.ok('create', '--name', 'fresh', BUSYBOX, 'sleep', '1000');
  await daemon.ok('network', 'connect', 'right', 'fresh');
  await daemon.ok('start', 'fresh');
  assert.equal(await inspect('fresh', networks), 'bridge right');
  assert.deepEqual(await lookup('fresh', 'peer'), [peer]);
  await removeAll(['mover', 'peer', 'fresh'], ['left', 'right']);
});

test('events tell when containers come into networks and leave them: at their start and end', async () => {
  const since = String(Math.floor(Date.now() / 1000));
  await daemon.ok('network', 'create', 'told');
  const guest = await daemon.ok(
    'create',
    '--name',
    'guest',
    '--network',
    'told',
    BUSYBOX,
    'sleep',
    '1000',
  );
  await daemon.ok('network', 'connect', 'bridge', 'guest');
  await daemon.ok('start', 'guest');
  await daemon.ok('network', 'disconnect', 'bridge', 'guest');
  await daemon.ok('rm', '-f', 'guest');
  await daemon.ok('network', 'rm', 'told');
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const window = ['--since', since, '--until', until, '--filter', 'type=network'];
  const format = '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.container}}';
  const told = (await daemon.ok('events', ...window, '--format', format)).split('\n');
  // Seconds are long: what an earlier test did may be among them.
  const ours = told.filter((line) => line.includes(guest) || line.includes(' told '));
  assert.deepEqual(ours.map((line) => line.split(' ').slice(0, 2).join(' ')).toSorted(), [
    ...['connect bridge', 'connect told', 'create told', 'destroy told'],
    ...['disconnect bridge', 'disconnect told'],
  ]);
});

test('networks are closed to each other, and an internal one to the world', async () => {
  await daemon.ok('network', 'create', 'inside', '--internal');
  await daemon.ok('network', 'create', 'outside');
  await idle('in', 'inside');
  await idle('out', 'outside');
  const address = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const [inner, outer] = [await inspect('in', address), await inspect('out', address)];
  await daemon.ok('exec', 'out', 'ping', '-c1', '-W2', outer);
  for (const [from, to] of [
    ['out', inner],
    ['in', outer],
    ['in', '10.0.2.3'],
  ] as const) {
    assert.notEqual((await daemon.docker('exec', from, 'ping', '-c1', '-W1', to)).code, 0);
  }
  assert.doesNotMatch(await daemon.ok('exec', 'in', 'ip', 'route'), /default/);
  const { code } = await daemon.docker('exec', 'in', 'nslookup', 'example.invalid');
  assert.notEqual(code, 0);
  await removeAll(['in', 'out'], ['inside', 'outside']);
});

test('networks, names and addresses outlive a crash of the engine', async () => {
  await daemon.ok('network', 'create', 'lasting');
  await idle('alpha', 'lasting', '-p', '127.0.0.1::80');
  await idle('beta', 'lasting');
  const format = '{{.NetworkSettings.Networks.lasting.IPAddress}}';
  const before = [await inspect('alpha', format), await inspect('beta', format)];
  await daemon.crashEngine();
  assert.deepEqual([await inspect('alpha', format), await inspect('beta', format)], before);
  assert.deepEqual(await eventually(() => lookup('beta', 'alpha')), [before[0]]);
  await daemon.ok('exec', 'beta', 'ping', '-c1', '-W2', 'alpha');
  await idle('gamma', 'lasting');
  assert.equal((await lookup('alpha', 'gamma')).length, 1);
  await removeAll(['alpha', 'beta', 'gamma'], ['lasting']);
});

test('names of the world outside are asked of the engine’s own server', async () => {
  await daemon.ok('network', 'create', 'curious');
  await idle('asker', 'curious');
  const startedAt = performance.now();
  const { code } = await daemon.docker('exec', 'asker', 'nslookup', 'no-such-host.invalid');
  assert.notEqual(code, 0);
  assert.ok(performance.now() - startedAt < 5000, 'a name that does not exist is denied at once');
  await removeAll(['asker'], ['curious']);
});
