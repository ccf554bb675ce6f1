/** The network without any engine: loopback, a bare veth pair, and the helpers that lead out of a namespace. */
import { setTimeout as pause } from 'node:timers/promises';
import { startDaemon } from '../../test/support/daemon.ts';
import { BUSYBOX } from '../../test/support/images.ts';
import { runCommand, startCommand } from '../../test/support/run-command.ts';
import { findTool } from '../setup/requirements.ts';
import {
  egress,
  inNetworkOf,
  iperfServer,
  streamGbits,
  WEB_SERVER,
  webRequests,
} from './network-section.ts';
import type { Reading } from './sections.ts';

const PEER = '192.168.99.2';
const MTU = 65_520;
const SETTLE_MS = 500;
const BARE_SLIRP = [
  ...['slirp4netns', '--configure', `--mtu=${MTU}`],
  ...['--disable-host-loopback', '--enable-sandbox', '--enable-seccomp'],
];
/** Addresses of its own: with those of the host, which are its default, the host itself could not be reached. */
const BARE_PASTA = [
  ...['pasta', '--foreground', '--quiet', '--config-net', '--ipv4-only', '--ns-ifname', 'tap0'],
  ...['--mtu', String(MTU), '--no-map-gw', '--tcp-ns', 'none', '--tcp-ports', 'none'],
  ...['--address', '10.0.2.100', '--netmask', '24', '--gateway', '10.0.2.2'],
];

/** Columns of the table: its name and what was measured. */
export async function measureNetworkFloor(): Promise<readonly (readonly [string, Reading[]])[]> {
  const columns: (readonly [string, Reading[]])[] = [
    ['no engine', [...(await loopback()), ['container to container, Gbit/s', await bareVeth()]]],
  ];
  for (const helper of ['slirp4netns', 'pasta']) {
    if (findTool(helper) === undefined) continue;
    columns.push([`bare ${helper}`, [['container to host, Gbit/s', await bareHelper(helper)]]]);
  }
  if (findTool('pasta') !== undefined) {
    columns.push(['wherry by pasta', [['container to host, Gbit/s', await byPasta()]]]);
  }
  return columns;
}

/** Our own way out by the helper that is not the default. */
async function byPasta(): Promise<number> {
  await using daemon = await startDaemon({ flags: ['--network-driver', 'pasta'] });
  await daemon.ok('run', '-d', '--name', 'out', BUSYBOX, 'sleep', '1000');
  const pid = Number(await daemon.ok('inspect', '-f', '{{.State.Pid}}', 'out'));
  return await egress(inNetworkOf(pid));
}

async function loopback(): Promise<readonly Reading[]> {
  await using _iperf = await iperfServer([]);
  await using web = startCommand([process.execPath, '-e', WEB_SERVER]);
  await web.printed(/up/);
  return [
    ['published port, in, Gbit/s', await streamGbits([], '127.0.0.1')],
    ['published port, out, Gbit/s', await streamGbits([], '127.0.0.1', { reverse: true })],
    ['published port, wrk -c64, requests/s', await webRequests(8080)],
  ];
}

/** A namespace with root's rights in it, and the prefix that enters it. */
async function namespace() {
  const unshare = ['unshare', '--user', '--map-root-user', '--net'];
  const holder = startCommand([...unshare, '--', 'sh', '-c', 'echo up; exec sleep 1000']);
  await holder.printed(/up/);
  return { holder, prefix: inNetworkOf(holder.pid) };
}

async function bareVeth(): Promise<number> {
  const { holder, prefix } = await namespace();
  await using _holder = holder;
  await using other = startCommand([...prefix, 'unshare', '--net', '--', 'sleep', '1000']);
  await pause(SETTLE_MS);
  const far = ['ip', 'link', 'add', 'v0', 'mtu', String(MTU), 'type', 'veth', 'peer', 'v1'];
  const there = inNetworkOf(other.pid);
  for (const command of [
    [...prefix, ...far, 'mtu', String(MTU), 'netns', String(other.pid)],
    [...prefix, 'ip', 'address', 'add', '192.168.99.1/24', 'dev', 'v0'],
    [...prefix, 'ip', 'link', 'set', 'v0', 'up'],
    [...there, 'ip', 'address', 'add', `${PEER}/24`, 'dev', 'v1'],
    [...there, 'ip', 'link', 'set', 'v1', 'up'],
  ]) {
    await runCommand(command);
  }
  await using _server = await iperfServer(there);
  return await streamGbits(prefix, PEER);
}

async function bareHelper(helper: string): Promise<number> {
  const { holder, prefix } = await namespace();
  await using _holder = holder;
  const pid = String(holder.pid);
  const argv = helper === 'pasta' ? [...BARE_PASTA, pid] : [...BARE_SLIRP, pid, 'tap0'];
  await using _helper = startCommand(argv);
  await pause(SETTLE_MS);
  return await egress(prefix);
}
