/** What every helper that leads out of the machine's network namespace must do. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseResolvConf } from '../../src/host/read-host-facts.ts';
import { eventually } from '../support/eventually.ts';
import { hostAddress, speaker } from '../support/host/host-servers.ts';
import { leavesNothing } from '../support/host/leaves-nothing.ts';
import { makePingDaemon, type PingDaemon } from '../support/host/ping-daemon.ts';
import { type CommandResult, runCommand } from '../support/run-command.ts';
import { userNamespaceOf } from '../support/traces.ts';

/** Runs the suite against the daemon's driver of this name. */
export function testUplinkContract(driver: string, needs: { readonly skip: string | false }): void {
  const start = async () => {
    const daemon = await makePingDaemon();
    await daemon.start('--network-driver', driver);
    return daemon;
  };

  describe(`the uplink by ${driver}`, needs, () => {
    test('leads to servers of the host by its address, in large packets', async () => {
      await using daemon = await start();
      assert.equal((await daemon.status()).uplink?.driver, driver);
      using server = await greeter('0.0.0.0');
      assert.equal(await fetched(daemon, `http://${hostAddress('IPv4')}:${server.port}/`), 'ahoy');
      assert.match((await inside(daemon, 'ip', 'link', 'show', 'tap0')).stdout, /mtu 65520/);
    });

    test('leads to servers of the host by IPv6', async (context) => {
      const address = hostAddress('IPv6');
      if (address === '') return context.skip('the host has no IPv6');
      // slirp4netns takes this network for its own.
      const isHidden = driver === 'slirp4netns' && /^fd00::[0-9a-f]{0,4}$/.test(address);
      if (isHidden) return context.skip('the host is in fd00::/64');
      await using daemon = await start();
      using server = await greeter('::');
      await eventually(async () => {
        const url = `http://[${address}]:${server.port}/`;
        return (await fetched(daemon, url)) === 'ahoy';
      });
    });

    test('keeps the loopback of the host closed', async () => {
      await using daemon = await start();
      using server = await greeter('127.0.0.1');
      const { gateway } = await uplinkOf(daemon);
      for (const address of [gateway, '127.0.0.1', hostAddress('IPv4'), '[fd00::2]']) {
        assert.equal(await fetched(daemon, `http://${address}:${server.port}/`), '', address);
      }
    });

    test('forwards questions for names to the resolver of the host', async (context) => {
      const known = await answerTo((await resolvers())[0] ?? '', (...command) =>
        runCommand(command),
      );
      if (!known) return context.skip('the resolver of this host does not answer');
      await using daemon = await start();
      const { nameserver } = await uplinkOf(daemon);
      assert.ok(await answerTo(nameserver, (...command) => inside(daemon, ...command)));
    });

    test('carries echo requests where the host lets this user send them', async (context) => {
      if (!(await mayPing())) return context.skip('net.ipv4.ping_group_range leaves us out');
      await using daemon = await start();
      const echo = await inside(daemon, 'busybox', 'ping', '-c1', '-W3', hostAddress('IPv4'));
      assert.match(echo.stdout, /1 packets received/);
    });

    test('is started again when it was killed, and then leads out as before', async () => {
      await using daemon = await start();
      using server = await greeter('0.0.0.0');
      const before = (await daemon.status()).uplink?.pid ?? 0;
      process.kill(before, 'SIGKILL');
      await eventually(async () => {
        const { uplink } = await daemon.status();
        return uplink?.pid !== undefined && uplink.pid !== before;
      });
      const url = `http://${hostAddress('IPv4')}:${server.port}/`;
      assert.equal(await fetched(daemon, url), 'ahoy');
    });

    test('is replaced when its host died before it was on record', async () => {
      await using daemon = await start();
      using server = await greeter('0.0.0.0');
      const { uplink } = await daemon.status();
      await daemon.endHost('SIGKILL');
      const path = join(daemon.home.runtimeDir, 'wherry', 'machine.json');
      const { uplink: _, ...record } = JSON.parse(await readFile(path, 'utf8'));
      await writeFile(path, JSON.stringify(record));
      await daemon.start('--network-driver', driver);
      await eventually(() => !existsSync(`/proc/${uplink?.pid}`));
      const url = `http://${hostAddress('IPv4')}:${server.port}/`;
      await eventually(async () => (await fetched(daemon, url)) === 'ahoy');
    });

    test('outlives the host process, and ends with the machine', async () => {
      await using daemon = await start();
      const { uplink, engine } = await daemon.status();
      const namespace = await userNamespaceOf(engine?.pid ?? 0);
      await daemon.endHost('SIGKILL');
      await daemon.start('--network-driver', driver);
      assert.equal((await daemon.status()).uplink?.pid, uplink?.pid);
      await daemon.down();
      await leavesNothing(daemon, namespace);
      await eventually(() => !existsSync(`/proc/${uplink?.pid}`));
    });
  });
}

const GREETING = 'HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nahoy';

/** A server that greets in HTTP. */
const greeter = (address: string) => speaker(address, GREETING);

/** Runs a command in the network namespace of the machine. */
async function inside(daemon: PingDaemon, ...command: readonly string[]): Promise<CommandResult> {
  const { anchor } = await daemon.status();
  const target = ['--target', String(anchor?.pid), '--user', '--net', '--preserve-credentials'];
  return await runCommand(['nsenter', ...target, '--', ...command]);
}

/** The body that curl gets from within the machine; empty when it gets none. */
async function fetched(daemon: PingDaemon, url: string): Promise<string> {
  return (await inside(daemon, 'curl', '-gsm', '3', url)).stdout;
}

async function uplinkOf(daemon: PingDaemon) {
  const { uplink } = await daemon.ask<{ uplink: { gateway: string; nameserver: string } }>(
    '/facts',
  );
  return uplink;
}

async function resolvers(): Promise<readonly string[]> {
  return parseResolvConf(await readFile('/etc/resolv.conf', 'utf8')).nameservers;
}

/** Whether a resolver says anything at all, be it that there is no such name. */
async function answerTo(
  resolver: string,
  execute: (...command: readonly string[]) => Promise<CommandResult>,
): Promise<boolean> {
  const { stdout, stderr } = await execute('busybox', 'nslookup', 'example.com', resolver);
  return /Address: |NXDOMAIN|SERVFAIL|REFUSED/.test(
    (stdout + stderr).replace(/^Address:.*\n/m, ''),
  );
}

/** ping(8) without privileges needs the caller's group in this range. */
async function mayPing(): Promise<boolean> {
  const [low = 1, high = 0] = (await readFile('/proc/sys/net/ipv4/ping_group_range', 'utf8'))
    .trim()
    .split(/\s+/)
    .map(Number);
  const group = process.getgid?.() ?? -1;
  return group >= low && group <= high;
}
