/** A compose project on several networks: aliases, fixed addresses, IPv6, a closed back end, a network from elsewhere. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { DockerClient } from '../support/docker-client.ts';
import { BUSYBOX } from '../support/images.ts';

const idle = { image: BUSYBOX, command: 'sleep 1000', pull_policy: 'never' };
const PROJECT = {
  name: 'quay',
  services: {
    web: {
      ...idle,
      networks: { front: { aliases: ['www', 'gate'], gw_priority: 1 }, back: {}, shared: {} },
    },
    api: { ...idle, deploy: { replicas: 2 }, networks: { back: { aliases: ['service'] } } },
    db: {
      ...idle,
      networks: { back: { ipv4_address: '10.88.0.10', ipv6_address: 'fd88::10' } },
    },
    guest: { ...idle, networks: ['front'] },
  },
  networks: {
    front: { driver_opts: { 'com.docker.network.driver.mtu': '1400' } },
    back: {
      internal: true,
      enable_ipv6: true,
      ipam: { config: [{ subnet: '10.88.0.0/24' }, { subnet: 'fd88::/64' }] },
    },
    shared: { external: true, name: 'harbour-wide' },
  },
};

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

for (const suite of ['trixie', 'sid']) {
  describe(`networks of docker compose of ${suite}`, requires('docker-clients'), async () => {
    const cwd = join(daemon.home.root, `quay-${suite}`);
    await mkdir(cwd, { recursive: true });
    await writeFile(join(cwd, 'compose.yaml'), JSON.stringify(PROJECT));
    const client = new DockerClient(daemon, suite);
    const compose = (...args: readonly string[]) => client.ok({ cwd }, 'compose', ...args);
    const within = (service: string, ...command: readonly string[]) =>
      compose('exec', '-T', service, ...command);

    test('services are on their networks and find each other by service, alias and address', async () => {
      await daemon.ok('network', 'create', 'harbour-wide');
      await compose('up', '-d');
      for (const name of ['www', 'gate', 'web']) await within('guest', 'ping', '-c1', '-W2', name);
      for (const name of ['db', 'service', 'api', 'quay-api-2']) {
        await within('web', 'ping', '-c1', '-W2', name);
      }
      await within('api', 'ping', '-6', '-c1', '-W2', 'db');
      assert.match(await within('web', 'nslookup', 'db'), /10\.88\.0\.10[\s\S]*fd88::10/);
      const replicas = await within('web', 'nslookup', '-type=a', 'service');
      assert.equal([...replicas.matchAll(/^Address: 10\.88\.0\./gm)].length, 2);
    });

    test('a closed network has no way out, and nothing of it is known on the others', async () => {
      assert.equal(await within('db', 'ip', '-4', 'route', 'show', 'default'), '');
      assert.match(
        await within('web', 'ip', 'route', 'show', 'default'),
        /^default via \S+ dev eth/,
      );
      const asking = await client.run({ cwd }, 'compose', 'exec', '-T', 'guest', 'nslookup', 'db');
      assert.notEqual(asking.code, 0);
      assert.match(await within('guest', 'ip', 'link', 'show', 'eth0'), /mtu 1400/);
    });

    test('the graph shows who is where', async () => {
      const { stdout } = await daemon.wherry('network', 'graph');
      assert.match(stdout, /^quay_back \(bridge, internal, 10\.88\.0\.0\/24, fd88::\/64\)$/m);
      assert.match(stdout, /quay-db-1 +10\.88\.0\.10, fd88::10/);
      assert.match(stdout, /quay-web-1 .*also on .*quay_back/);
      const stats = (await daemon.get('/containers/quay-web-1/stats?stream=0')) as {
        networks: object;
      };
      assert.deepEqual(Object.keys(stats.networks).toSorted(), ['eth0', 'eth1', 'eth2']);
    });

    test('all of it goes with the project, and what is from elsewhere stays', async () => {
      await compose('down', '-t', '0');
      const left = await daemon.ok('network', 'ls', '--format', '{{.Name}}');
      assert.deepEqual(left.split('\n').toSorted(), ['bridge', 'harbour-wide', 'host', 'none']);
      await daemon.ok('network', 'rm', 'harbour-wide');
    });
  });
}
