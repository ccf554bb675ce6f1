import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkModeText, parseNetworkMode, publishRequests } from './network-mode.ts';

test('any other word names a network', () => {
  assert.deepEqual(parseNetworkMode('mynet'), { kind: 'network', ref: 'mynet' });
  assert.equal(networkModeText(parseNetworkMode('mynet')), 'mynet');
  assert.equal(networkModeText(parseNetworkMode('default')), 'bridge');
});

test('a container can share the namespace of another', () => {
  assert.deepEqual(parseNetworkMode('container:web'), { kind: 'container', ref: 'web' });
});

test('a binding without a host port asks for a random one', () => {
  assert.deepEqual(publishRequests({}, { PortBindings: { '80/tcp': [{ HostPort: '' }] } }), [
    { protocol: 'tcp', containerPort: 80, hostIp: '', hostPort: 0 },
  ]);
});

test('publish-all adds exposed ports that are not bound already', () => {
  const config = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  const hostConfig = { PublishAllPorts: true, PortBindings: { '80': [{ HostPort: '8080' }] } };
  assert.deepEqual(
    publishRequests(config, hostConfig).map((r) => [r.containerPort, r.protocol, r.hostPort]),
    [
      [80, 'tcp', 8080],
      [53, 'udp', 0],
    ],
  );
});

for (const bad of ['0/tcp', '70000', 'x', '80/icmp']) {
  test(`the port ${bad} is refused`, () => {
    assert.throws(() => publishRequests({}, { PortBindings: { [bad]: [] } }), /invalid port/);
  });
}
