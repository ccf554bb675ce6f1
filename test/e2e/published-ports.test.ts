import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { TestAuthority } from '../support/certificates.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { hostAddress } from '../support/host/host-servers.ts';
import { BUSYBOX } from '../support/images.ts';
import { type RunningCommand, runCommand, startCommand } from '../support/run-command.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

const HOST = hostAddress('IPv4');

/** A container that waits; its name is also that of its server, if one is started. */
async function container(name: string, ...flags: readonly string[]): Promise<void> {
  await daemon.ok('run', '-d', '--name', name, ...flags, BUSYBOX, 'sleep', '1000');
}

/** The port of the host that leads to `port`. */
async function publicPort(name: string, port: string): Promise<number> {
  const [line = ''] = (await daemon.ok('port', name, port)).split('\n');
  return Number(line.slice(line.lastIndexOf(':') + 1));
}

/** A program of the host in the network of a container. */
async function inside(name: string, argv: readonly string[]): Promise<RunningCommand> {
  const pid = await daemon.ok('inspect', '-f', '{{.State.Pid}}', name);
  const target = ['--target', pid, '--user', '--net', '--preserve-credentials'];
  return startCommand(['nsenter', ...target, '--', ...argv]);
}

/** Node scripts that answer everyone with the address that they see. */
const TCP_MIRROR =
  "require('net').createServer((s)=>{s.on('error',()=>0);s.end(s.remoteAddress)}).listen(7,'0.0.0.0',()=>console.log('up'))";
const UDP_MIRROR =
  "const s=require('dgram').createSocket('udp4');s.on('message',(m,r)=>s.send(r.address,r.port,r.address));s.bind(7,()=>console.log('up'))";

async function mirror(name: string, script: string): Promise<RunningCommand> {
  const server = await inside(name, [process.execPath, '-e', script]);
  await server.printed(/up/);
  return server;
}

/** What a TCP server says before it hangs up. */
async function told(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

/** The answer to one datagram. */
async function answered(host: string, port: number): Promise<string> {
  const client = createSocket('udp4');
  try {
    return await eventually(async () => {
      client.send('hello', port, host);
      const [answer] = await once(client, 'message', { signal: AbortSignal.timeout(1_000) });
      return String(answer);
    });
  } finally {
    client.close();
  }
}

test('containers see the addresses of their clients, by TCP and by UDP', async () => {
  await container('seer', '-p', '7/tcp', '-p', '7/udp');
  await using _tcp = await mirror('seer', TCP_MIRROR);
  await using _udp = await mirror('seer', UDP_MIRROR);
  const gateway = await daemon.ok('inspect', '-f', '{{.NetworkSettings.Gateway}}', 'seer');
  const [tcp, udp] = [await publicPort('seer', '7/tcp'), await publicPort('seer', '7/udp')];
  assert.equal(await told(HOST, tcp), HOST);
  assert.equal(await answered(HOST, udp), HOST);
  assert.equal(await told('127.0.0.1', tcp), gateway);
  assert.equal(await answered('127.0.0.1', udp), gateway);
  await daemon.ok('rm', '-f', 'seer');
});

test('a container reaches its own published port by its gateway and by the host’s address', async () => {
  await container('narcissus', '-p', '7');
  await using _server = await mirror('narcissus', TCP_MIRROR);
  const port = await publicPort('narcissus', '7/tcp');
  const gateway = await daemon.ok('inspect', '-f', '{{.NetworkSettings.Gateway}}', 'narcissus');
  for (const address of [gateway, HOST]) {
    const ask = `sleep 1 | nc -w 5 ${address} ${port}`;
    const seen = await daemon.ok('exec', 'narcissus', 'sh', '-c', ask);
    assert.match(seen, /^\d+\.\d+\.\d+\.\d+$/);
  }
  await daemon.ok('rm', '-f', 'narcissus');
});

test('ports of a container on a network without a way out are published once it joins another', async () => {
  await daemon.ok('network', 'create', '--internal', 'hold');
  await daemon.ok('network', 'create', 'quay');
  await container('late', '--network', 'hold', '-p', '7');
  assert.equal(await daemon.ok('port', 'late'), '');
  await daemon.ok('network', 'connect', 'quay', 'late');
  await using _server = await mirror('late', TCP_MIRROR);
  assert.equal(await told(HOST, await publicPort('late', '7/tcp')), HOST);
  await daemon.ok('rm', '-f', 'late');
  await daemon.ok('network', 'rm', 'hold', 'quay');
});

test('no connection is refused while the engine is killed again and again', async () => {
  await container('steady', '-p', '7');
  await using _server = await mirror('steady', TCP_MIRROR);
  const port = await publicPort('steady', '7/tcp');
  let refusals = 0;
  let isOver = false;
  const traffic = (async () => {
    while (!isOver) {
      await told('127.0.0.1', port).catch((error: NodeJS.ErrnoException) => {
        // A connection that the engine was serving ends with it; a refusal would mean that nobody listens.
        if (error.code === 'ECONNREFUSED') refusals++;
      });
    }
  })();
  for (const _ of [1, 2]) await daemon.crashEngine();
  assert.notEqual(await eventually(() => told('127.0.0.1', port)), '');
  isOver = true;
  await traffic;
  assert.equal(refusals, 0);
  await daemon.ok('rm', '-f', 'steady');
});

test('TLS ends in the container', requires('openssl'), async () => {
  await container('vault', '-p', '443');
  await using authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue('vault', ['127.0.0.1']);
  const files = ['-cert', certificate, '-key', key];
  await using server = await inside('vault', [
    'openssl',
    's_server',
    '-accept',
    '443',
    '-www',
    ...files,
  ]);
  await server.printed(/ACCEPT/);
  const port = await publicPort('vault', '443/tcp');
  const ask = request({ host: '127.0.0.1', port, ca: await authority.pem() }).end();
  const [response] = await once(ask, 'response');
  assert.equal(response.statusCode, 200);
  response.destroy();
  await daemon.ok('rm', '-f', 'vault');
});

test(
  'iperf3 measures through a published port, in both directions',
  requires('iperf3'),
  async () => {
    await container('pipe', '-p', '5201');
    await using server = await inside('pipe', ['iperf3', '-s', '--forceflush']);
    await server.printed(/listening/);
    const port = String(await publicPort('pipe', '5201/tcp'));
    for (const direction of [[], ['-R']]) {
      const flags = ['-c', '127.0.0.1', '-p', port, '-t', '1', '-J', ...direction];
      // The server takes one client at a time and says that it is busy until it has seen the last one off.
      const received = await eventually(async () => {
        const { end } = JSON.parse((await runCommand(['iperf3', ...flags])).stdout);
        return end?.sum_received?.bytes as number | undefined;
      });
      assert.ok(received > 1 << 20, `${received} bytes`);
    }
    await daemon.ok('rm', '-f', 'pipe');
  },
);

test('a port that the system keeps is refused with the cure, or published higher on request', async (context) => {
  const start = Number(await readFile('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  if (start <= 81) return context.skip('no port is kept on this machine');
  const refused = await daemon.docker('run', '--rm', '-p', '81:80', BUSYBOX, 'true');
  assert.match(refused.stderr, /sysctl net\.ipv4\.ip_unprivileged_port_start=81/);
  assert.match(refused.stderr, /"privileged-ports" to "auto-remap"/);
  await using other = await startDaemon({ flags: ['--privileged-ports', 'auto-remap'] });
  await other.ok('run', '-d', '--name', 'high', '-p', '127.0.0.1:81:80', BUSYBOX, 'sleep', '1000');
  assert.equal(await other.ok('port', 'high', '80'), '127.0.0.1:10081');
  await other.ok('rm', '-f', 'high');
});

test('SCTP is refused with the reason', async () => {
  const { code, stderr } = await daemon.docker('run', '--rm', '-p', '7:7/sctp', BUSYBOX, 'true');
  assert.equal(code, 125);
  assert.match(stderr, /SCTP sockets cannot be handed to a namespace/);
});
