import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NetworkRecord } from '../../network/network-record.ts';
import { newNetworkId } from '../../shared/ids.ts';
import type { EndpointSettings } from '../../wire/container-config.ts';
import { endpointsOf } from './endpoint-requests.ts';

const network = (name: string, changes: Partial<NetworkRecord> = {}): NetworkRecord => ({
  id: newNetworkId(),
  name,
  driver: 'bridge',
  createdAt: '',
  subnet: '10.5.0.0/16',
  options: {},
  ...changes,
});

const mine = network('mine', { subnetChosen: true });
const networks = [network('bridge'), mine, network('host'), network('none'), network('auto')];

const namesOf = (mode: string | undefined, endpoints: Record<string, EndpointSettings | null>) =>
  Object.keys(
    endpointsOf(networks, {
      hostConfig: mode === undefined ? {} : { NetworkMode: mode },
      networkingConfig: { EndpointsConfig: endpoints },
    }),
  );

test('the network of the mode comes first, and ids become names', () => {
  assert.deepEqual(namesOf(undefined, {}), ['bridge']);
  assert.deepEqual(namesOf('auto', { [mine.id]: null }), ['auto', 'mine']);
  assert.deepEqual(namesOf('container:web', {}), []);
});

test('the default network is not joined beside others, and a missing one is left to the start', () => {
  assert.deepEqual(namesOf('default', { mine: {} }), ['mine']);
  assert.deepEqual(namesOf('nowhere', {}), ['nowhere']);
});

test('settings that a network cannot have are refused', () => {
  const fixed = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } });
  const cases: [string, EndpointSettings, RegExp][] = [
    ['bridge', fixed('10.5.0.9'), /on user defined networks only/],
    ['auto', fixed('10.5.0.9'), /with user configured subnets/],
    ['mine', fixed('10.6.0.9'), /no configured subnet contains IP address 10\.6\.0\.9/],
    ['bridge', { Aliases: ['x'] }, /network-scoped alias is supported only/],
  ];
  for (const [name, settings, pattern] of cases) {
    assert.throws(() => namesOf(name, { [name]: settings }), pattern);
  }
  assert.throws(() => namesOf('host', { mine: {} }), /host network/);
  assert.throws(() => namesOf('none', { mine: {} }), /private \(none\) mode/);
  assert.deepEqual(namesOf('mine', { mine: fixed('10.5.0.9') }), ['mine']);
});
