/** A kernel that makes no bridges, as one without the module does. */
import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { newContainerId } from '../../src/shared/ids.ts';
import { parsePrefix } from '../../src/sys/netlink/ipv4.ts';
import { RouteSocket } from '../../src/sys/netlink/route-socket.ts';
import { openTestNetwork } from '../support/network/network-fixture.ts';

/** An interface that has the bridge's name and takes no ports: the kernel refuses in earnest. */
function obstructBridge(): Disposable {
  const namespaceFd = openSync('/proc/thread-self/ns/net', 'r');
  const address = parsePrefix('192.0.2.1/24');
  assert.ok(address);
  try {
    RouteSocket.with((routes) => {
      const peer = { name: 'obstacle', namespaceFd, macAddress: '02:42:00:00:00:09' };
      routes.addVeth({ name: 'docker0', mtu: 1500, peer });
      routes.configureContainerLink({ linkName: 'docker0', address });
    });
  } finally {
    closeSync(namespaceFd);
  }
  return { [Symbol.dispose]: () => RouteSocket.with((routes) => routes.deleteLink('docker0')) };
}

test('where the kernel makes no bridge the engine starts, says so, and refuses only what needs one', async () => {
  using _obstacle = obstructBridge();
  await using network = await openTestNetwork();
  assert.match(network.lacks.join(), /^No bridge networks: .*not supported/);
  const request = { containerId: newContainerId(), hostname: 'web', publish: [] } as const;
  await assert.rejects(network.service.create({ ...request, mode: 'bridge' }), {
    kind: 'unavailable',
    message: /^network bridge cannot be used on this machine: .*modprobe -a bridge veth/,
  });
  const alone = await network.service.create({ ...request, mode: 'none' });
  assert.deepEqual(alone.endpoints, []);
  const links = RouteSocket.with((routes) => routes.listLinks()).map(({ name }) => name);
  assert.deepEqual(
    links.filter((name) => name.startsWith('wherry-keep')),
    [],
  );
});
