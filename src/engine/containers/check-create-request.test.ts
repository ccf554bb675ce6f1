import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig, HostConfig } from '../../wire/container-config.ts';
import { checkCreateRequest } from './check-create-request.ts';

const SHARED = { NetworkMode: 'container:web' };

/** What is refused, with Docker's texts. */
const REFUSED: readonly (readonly [ContainerConfig, HostConfig, string])[] = [
  [{ Hostname: 'x' }, SHARED, 'conflicting options: hostname and the network mode'],
  [{}, { ...SHARED, Dns: ['1.1.1.1'] }, 'conflicting options: dns and the network mode'],
  [
    {},
    { ...SHARED, ExtraHosts: ['a:1.1.1.1'] },
    'conflicting options: custom host-to-IP mapping and the network mode',
  ],
  [
    {},
    { ...SHARED, PublishAllPorts: true },
    'conflicting options: port publishing and the container type network mode',
  ],
  [
    { ExposedPorts: { '80/tcp': {} } },
    SHARED,
    'conflicting options: port exposing and the container type network mode',
  ],
  [
    { MacAddress: '02:42:ac:11:00:09' },
    { NetworkMode: 'host' },
    'conflicting options: mac-address and the network mode',
  ],
  [{}, { Dns: ['1.1.1.1', 'quay'] }, 'bad nameserver address: "quay"'],
  [{ ExposedPorts: { 'quay/tcp': {} } }, {}, 'invalid port specification: "quay/tcp"'],
  [{}, { ExtraHosts: ['x'] }, 'bad format for add-host: "x"'],
  [{}, { ExtraHosts: ['x:y'] }, 'invalid IP address in add-host: "y"'],
  [{ Env: ['A=1', '=x'] }, {}, 'invalid environment variable: =x'],
];

for (const [config, hostConfig, message] of REFUSED) {
  test(`refused: ${message}`, () => {
    const request = { config, hostConfig } as Parameters<typeof checkCreateRequest>[1];
    const check = () => checkCreateRequest({ runtimeNames: [] }, request);
    assert.throws(check, { kind: 'invalid-argument', message });
  });
}

test('host names may be given for addresses of both families and for the gateway', () => {
  const ExtraHosts = ['a:1.2.3.4', 'b=::1', 'c:[2001:db8::1]', 'd:host-gateway', 'e:::1'];
  const request = { config: {}, hostConfig: { ExtraHosts } };
  checkCreateRequest(
    { runtimeNames: [] },
    request as unknown as Parameters<typeof checkCreateRequest>[1],
  );
});
