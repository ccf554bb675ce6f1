/** What the stock docker client does with the machine in namespaces works with the virtual one. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { requires } from '../../support/capabilities.ts';
import { DockerClient } from '../../support/docker-client.ts';
import { eventually } from '../../support/eventually.ts';
import { BUSYBOX } from '../../support/images.ts';
import { TestRegistry } from '../../support/registry.ts';
import { startCommand } from '../../support/run-command.ts';
import { Terminal } from '../../support/terminal.ts';
import type { VmUnderTest } from '../../support/vm/vm-under-test.ts';
import { installWatchTool, udpEchoCommand } from '../../support/vm/watch-tool.ts';

const PATIENCE = { withinMs: 60_000, everyMs: 250 };
const COMPOSE = `services:
  web:
    image: ${BUSYBOX}
    command: httpd -f -p 80 -h /w
    ports: ['127.0.0.1::80']
    volumes: ['./page:/w:ro']
  asker:
    image: ${BUSYBOX}
    command: sh -c 'until wget -qO- http://web/; do sleep 0.2; done'
`;

/** `vm` answers once the machine runs. */
export function smokeCases(vm: () => VmUnderTest): void {
  exchangesWithRegistry(vm);
  showsTerminalsAndLogs(vm);
  copiesAndBuilds(vm);
  publishesTcp(vm);
  publishesUdp(vm);
  runsProjects(vm);
}

function exchangesWithRegistry(vm: () => VmUnderTest): void {
  it(
    'pushes to and pulls from a registry on the loopback',
    requires('docker-registry'),
    async () => {
      await using registry = await TestRegistry.start();
      const image = `${registry.host}/kept:1`;
      await vm().ok(['tag', BUSYBOX, image]);
      await vm().ok(['push', '-q', image]);
      await vm().ok(['rmi', image]);
      await vm().ok(['pull', '-q', image]);
      assert.equal(await vm().ok(['run', '--rm', image, 'echo', 'pulled']), 'pulled');
    },
  );
}

function showsTerminalsAndLogs(vm: () => VmUnderTest): void {
  it('shows terminals', requires('tmux'), async () => {
    const argv = ['docker', 'run', '--rm', '-it', BUSYBOX, 'sh'];
    await using terminal = await Terminal.open(argv, vm().env);
    await terminal.shows(/[#$]/, PATIENCE.withinMs);
    await terminal.type('echo $((40 + 2)); stty size; exit 3');
    await terminal.press('Enter');
    await terminal.shows(/42\s+24 80/, PATIENCE.withinMs);
    assert.equal(await terminal.exitCode(PATIENCE.withinMs), 3);
  });

  it('follows logs to their end', async () => {
    const script = 'echo first; until test -e /go; do sleep 0.1; done; echo last';
    await vm().ok(['run', '-d', '--name', 'talker', BUSYBOX, 'sh', '-c', script]);
    await using logs = startCommand(['docker', 'logs', '-f', 'talker'], { env: vm().env });
    await eventually(() => logs.stdout === 'first\n', PATIENCE);
    await vm().ok(['exec', 'talker', 'touch', '/go']);
    assert.equal((await logs.ended).stdout, 'first\nlast\n');
    await vm().ok(['rm', '-f', 'talker']);
  });
}

function copiesAndBuilds(vm: () => VmUnderTest): void {
  it('builds from a directory, and copies files in and out', async () => {
    const context = join(vm().home.root, 'context');
    await mkdir(context);
    await writeFile(join(context, 'given'), 'given\n');
    const steps = [`FROM ${BUSYBOX}`, 'COPY given /given', 'RUN cat given >/made'];
    await writeFile(join(context, 'Dockerfile'), steps.join('\n'));
    await vm().ok(['build', '-q', '-t', 'built', context]);
    await vm().ok(['create', '--name', 'copied', 'built', 'cat', '/put']);
    await vm().ok(['cp', join(context, 'given'), 'copied:/put']);
    await vm().ok(['cp', 'copied:/made', join(context, 'made')]);
    assert.equal(await readFile(join(context, 'made'), 'utf8'), 'given\n');
    assert.equal(await vm().ok(['start', '-a', 'copied']), 'given');
    await vm().ok(['rm', 'copied']);
  });
}

function publishesTcp(vm: () => VmUnderTest): void {
  it('publishes ports with the addresses of their clients, until the container ends', async () => {
    const serve = ['httpd', '-f', '-vv', '-p', '80', '-h', '/bin'];
    await vm().ok(['run', '-d', '--name', 'web', '-p', '0:80', BUSYBOX, ...serve]);
    const port = Number((await vm().ok(['port', 'web', '80'])).split('\n')[0]?.split(':').at(-1));
    const own = ownAddress();
    const sizes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const answer = await fetch(`http://${own}:${port}/busybox`);
        return (await answer.arrayBuffer()).byteLength;
      }),
    );
    const [size = 0] = sizes;
    assert.ok(size > 500_000);
    assert.deepEqual(new Set(sizes), new Set([size]));
    const { stderr } = await vm().docker(['logs', 'web']);
    if (own !== '127.0.0.1') assert.match(stderr, new RegExp(`:${own.replaceAll('.', '\\.')}\\]`));
    const again = await vm().docker(['run', '--rm', '-p', `${port}:80`, BUSYBOX, 'true']);
    assert.equal(again.code, 125);
    assert.match(again.stderr, /port is already allocated|address already in use/);
    await vm().ok(['rm', '-f', 'web']);
    await assert.rejects(fetch(`http://${own}:${port}/`));
  });
}

function publishesUdp(vm: () => VmUnderTest): void {
  it('publishes ports of UDP', async () => {
    const tools = join(vm().home.root, 'udp-tool');
    await installWatchTool(tools);
    const options = ['-d', '--name', 'udp', '-p', '127.0.0.1::53/udp', '-v', `${tools}:/t:ro`];
    await vm().ok(['run', ...options, BUSYBOX, ...udpEchoCommand('/t', 53)]);
    const port = Number((await vm().ok(['port', 'udp', '53/udp'])).split(':').at(-1));
    const client = createSocket('udp4');
    const answered = once(client, 'message');
    // Datagrams may be lost, the first ones surely until the server listens.
    const sending = setInterval(() => client.send('ahoy', port, '127.0.0.1'), 250);
    try {
      const [answer] = (await answered) as [Buffer];
      assert.equal(answer.toString(), 'ahoy');
    } finally {
      clearInterval(sending);
      client.close();
    }
    await vm().ok(['rm', '-f', 'udp']);
  });
}

function runsProjects(vm: () => VmUnderTest): void {
  it('runs a compose project with files of the home', requires('docker-clients'), async () => {
    const cwd = join(vm().home.root, 'harbour');
    await mkdir(join(cwd, 'page'), { recursive: true });
    await writeFile(join(cwd, 'page/index.html'), 'moored\n');
    await writeFile(join(cwd, 'compose.yaml'), COMPOSE);
    const client = new DockerClient({ home: vm().home, env: vm().env, log: () => '' }, 'trixie');
    await client.ok({ cwd }, 'compose', 'up', '-d');
    const address = await client.ok({ cwd }, 'compose', 'port', 'web', '80');
    const page = () => fetch(`http://${address}/`).then((answer) => answer.text());
    assert.equal(await eventually(page, PATIENCE), 'moored\n');
    await client.ok({ cwd }, 'compose', 'wait', 'asker').catch(() => undefined);
    assert.match(await client.ok({ cwd }, 'compose', 'logs', 'asker'), /moored/);
    await client.ok({ cwd }, 'compose', 'down', '-t', '0');
  });
}

/** An address of this computer that is not loopback, where it has one. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
}
