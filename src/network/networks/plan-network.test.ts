import assert from 'node:assert/strict';
import { test } from 'node:test';
import { plainNetwork } from '../../../test/support/network/network-fixture.ts';
import { kindOf } from '../../shared/errors.ts';
import { newNetworkId } from '../../shared/ids.ts';
import type { NetworkSpec } from '../network-record.ts';
import { planNetwork } from './plan-network.ts';

const around = {
  id: newNetworkId(),
  createdAt: '2024-01-01T00:00:00Z',
  subnets: ['172.17.0.0/16'],
  occupied: ['172.18.4.0/24', '0.0.0.0/0'],
  uplink: '10.0.2.0/24',
  seed: 'machine',
};

const plan = (changes: Partial<NetworkSpec> = {}) =>
  planNetwork(plainNetwork('net', changes), around);

test('a network without wishes gets the first free subnet and its first address', () => {
  const { subnet, gateway, subnetChosen } = plan();
  assert.deepEqual([subnet, gateway, subnetChosen], ['172.19.0.0/16', '172.19.0.1', false]);
});

test('the gateway is the first address of the range that nothing else has', () => {
  const ranged = { subnet: '10.1.0.0/16', ipRange: '10.1.5.0/24' };
  assert.equal(plan(ranged).gateway, '10.1.5.0');
  const auxAddresses = { router: '10.1.0.1' };
  assert.equal(plan({ subnet: '10.1.0.0/16', auxAddresses }).gateway, '10.1.0.2');
});

test('addresses outside of the subnet, overlaps and bad options are refused', () => {
  const cases: [Partial<NetworkSpec>, string][] = [
    [{ subnet: '172.17.9.0/24' }, 'forbidden'],
    [{ subnet: '10.1.0.0' }, 'invalid-argument'],
    [{ subnet: '10.1.0.1/16' }, 'invalid-argument'],
    [{ subnet: '10.1.0.0/16', gateway: '10.2.0.1' }, 'invalid-argument'],
    [{ subnet: '10.1.0.0/16', ipRange: '10.2.0.0/24' }, 'invalid-argument'],
    [{ subnet: '10.1.0.0/16', ipRange: '10.0.0.0/8' }, 'invalid-argument'],
    [{ options: { 'com.docker.network.driver.mtu': 'big' } }, 'invalid-argument'],
    [
      { options: { 'com.docker.network.bridge.name': 'far-too-long-for-a-link' } },
      'invalid-argument',
    ],
    [{ options: { 'com.docker.network.bridge.enable_icc': 'maybe' } }, 'invalid-argument'],
  ];
  for (const [changes, kind] of cases) {
    assert.throws(
      () => plan(changes),
      (error) => kindOf(error) === kind,
      JSON.stringify(changes),
    );
  }
});
