import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../src/shared/errors.ts';
import { parsePrefix } from '../../src/sys/netlink/ipv4.ts';
import { RouteSocket } from '../../src/sys/netlink/route-socket.ts';

const bridge = {
  name: 'wherry-test0',
  mtu: 1400,
  macAddress: '02:42:0a:63:00:01',
  address: parsePrefix('10.99.0.1/24') ?? assert.fail(),
};

test('a bridge is made with its settings, found, listed and removed', () => {
  RouteSocket.with((routes) => {
    const made = routes.addBridge(bridge);
    const { isUp: _, ...found } = routes.findLink(bridge.name) ?? assert.fail('no link');
    const { index, name } = made;
    const { mtu, macAddress } = bridge;
    assert.deepEqual(found, { index, name, mtu, macAddress, masterIndex: 0 });
    assert.ok(routes.listLinks().some((link) => link.index === index));
    const addresses = routes.listAddresses().filter(({ linkIndex }) => linkIndex === index);
    assert.deepEqual(addresses, [{ linkIndex: index, prefix: bridge.address }]);
    assert.equal(routes.deleteLink(bridge.name), true);
    assert.equal(routes.deleteLink(bridge.name), false);
    assert.equal(routes.findLink(bridge.name), undefined);
  });
});

test('a refusal of the kernel carries the name of its errno and says what was tried', () => {
  RouteSocket.with((routes) => {
    routes.addBridge(bridge);
    assert.throws(
      () => routes.addBridge(bridge),
      (error) => {
        assert.ok(error instanceof EngineError);
        assert.equal(error.details['code'], 'EEXIST');
        assert.match(error.message, /create bridge wherry-test0/);
        return true;
      },
    );
    routes.deleteLink(bridge.name);
  });
});

test('a long list of links arrives whole', () => {
  RouteSocket.with((routes) => {
    const names = Array.from({ length: 60 }, (_, position) => `wherry-t${position}`);
    names.forEach((name, position) => {
      const address = parsePrefix(`10.98.${position}.1/24`) ?? assert.fail();
      routes.addBridge({ ...bridge, name, address });
    });
    const listed = new Set(routes.listLinks().map(({ name }) => name));
    assert.deepEqual(
      names.filter((name) => !listed.has(name)),
      [],
    );
    for (const name of names) routes.deleteLink(name);
  });
});
