/** How fast bytes and requests get into containers, between them and out of them. */
import { setTimeout as pause } from 'node:timers/promises';
import { hostAddress } from '../../test/support/host/host-servers.ts';
import { type RunningCommand, runCommand, startCommand } from '../../test/support/run-command.ts';
import { median, mediansMs } from './measure.ts';
import type { Reading } from './sections.ts';
import { ApiClient, runClient, type Subject } from './subject.ts';

const STREAM_SECONDS = '2';
const STREAMS = 3;
const IPERF_PORT = 5201;
const WEB_PORT = 8080;
const BITS_PER_GBIT = 1e9;
/** Small answers on kept connections; the same program for every engine, started in the container's network. */
export const WEB_SERVER = `require('http').createServer((q,s)=>s.end('ahoy')).listen(${WEB_PORT},'0.0.0.0',()=>console.log('up'))`;

/** The command prefix that runs a program of the host in the network of a process of this user. */
export function inNetworkOf(pid: number): readonly string[] {
  return ['nsenter', '--target', String(pid), '--user', '--net', '--preserve-credentials', '--'];
}

/** Gbit/s of one stream, the median of a few. `prefix` is where the client runs. */
export async function streamGbits(
  prefix: readonly string[],
  host: string,
  options: { readonly port?: number; readonly reverse?: boolean } = {},
): Promise<number> {
  const { port = IPERF_PORT, reverse = false } = options;
  const flags = [
    '-c',
    host,
    '-p',
    String(port),
    '-t',
    STREAM_SECONDS,
    '-J',
    ...(reverse ? ['-R'] : []),
  ];
  const results: number[] = [];
  for (let stream = 0; stream < STREAMS; stream++) {
    const { stdout } = await runCommand([...prefix, 'iperf3', ...flags]);
    results.push(JSON.parse(stdout).end?.sum_received?.bits_per_second ?? Number.NaN);
    // The server takes one client at a time and needs a moment after each.
    await pause(200);
  }
  return median(results) / BITS_PER_GBIT;
}

/** Requests per second over 64 kept connections. */
export async function webRequests(port: number): Promise<number> {
  const flags = ['-c64', '-t2', '-d3', `http://127.0.0.1:${port}/`];
  const { stdout } = await runCommand(['wrk', ...flags]);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

/** An iperf3 server in a network. */
export async function iperfServer(prefix: readonly string[]): Promise<RunningCommand> {
  const server = startCommand([...prefix, 'iperf3', '-s', '--forceflush']);
  await server.printed(/listening/);
  return server;
}

/** Measures the network of one engine. */
export async function measureNetwork(
  subject: Subject,
  rounds: number,
): Promise<readonly Reading[]> {
  using api = new ApiClient(subject);
  const ports = ['-p', `127.0.0.1::${IPERF_PORT}`, '-p', `127.0.0.1::${WEB_PORT}`];
  // A network of one's own: the only one on which podman's containers reach each other.
  await runClient(subject, 'network', 'create', 'bench');
  const names = ['bench-a', 'bench-b'];
  for (const name of names) {
    const where = ['--name', name, '--network', 'bench', ...ports];
    await runClient(subject, 'run', '-d', ...where, subject.image, 'sleep', '1000');
  }
  const [server, client] = await Promise.all(names.map((name) => inspect(api, name)));
  if (server === undefined || client === undefined) throw new Error('no containers');
  const inside = inNetworkOf(server.pid);
  await using _iperf = await iperfServer(inside);
  await using web = startCommand([...inside, process.execPath, '-e', WEB_SERVER]);
  await web.printed(/up/);
  const port = server.ports.get(IPERF_PORT) ?? 0;
  const readings: Reading[] = [
    ['published port, in, Gbit/s', await streamGbits([], '127.0.0.1', { port })],
    ['published port, out, Gbit/s', await streamGbits([], '127.0.0.1', { port, reverse: true })],
    ['published port, wrk -c64, requests/s', await webRequests(server.ports.get(WEB_PORT) ?? 0)],
    ['container to container, Gbit/s', await streamGbits(inNetworkOf(client.pid), server.address)],
    ['container to host, Gbit/s', await egress(inNetworkOf(client.pid))],
  ];
  await runClient(subject, 'rm', '-f', ...names);
  await runClient(subject, 'network', 'rm', 'bench');
  return [...readings, ...(await measureNetworkStart(subject, rounds))];
}

/** Out through the uplink, to a server at an address of the host. */
export async function egress(prefix: readonly string[]): Promise<number> {
  await using _server = await iperfServer([]);
  return await streamGbits(prefix, hostAddress('IPv4'));
}

/** Starts with and without a network take turns: a busy moment of the machine meets both. */
async function measureNetworkStart(subject: Subject, rounds: number): Promise<readonly Reading[]> {
  const run = (network: string) => () =>
    runClient(subject, 'run', '--rm', '--network', network, subject.image, 'true');
  const [without = Number.NaN, bridged = Number.NaN] = await mediansMs(rounds, [
    run('none'),
    run('bridge'),
  ]);
  return [['default network beside none, ms', bridged - without]];
}

interface Running {
  readonly pid: number;
  readonly address: string;
  /** Ports of the host by those of the container. */
  readonly ports: ReadonlyMap<number, number>;
}

async function inspect(api: ApiClient, name: string): Promise<Running> {
  const { State, NetworkSettings } = JSON.parse(
    (await api.call('GET', `/containers/${name}/json`)).toString(),
  );
  const ports = new Map<number, number>();
  for (const [port, bindings] of Object.entries<{ HostPort: string }[] | null>(
    NetworkSettings.Ports,
  )) {
    ports.set(Number.parseInt(port, 10), Number(bindings?.[0]?.HostPort));
  }
  return { pid: State.Pid, address: NetworkSettings.Networks.bench.IPAddress, ports };
}
