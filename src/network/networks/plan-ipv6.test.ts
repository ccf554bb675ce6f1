import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../shared/errors.ts';
import { parseIpv6Prefix } from '../../sys/netlink/ipv6.ts';
import type { AddressWishes } from '../network-record.ts';
import { planIpv6, uniqueLocalPool } from './plan-ipv6.ts';

const pools = [{ base: parseIpv6Prefix('fd00:9::/62') ?? assert.fail(), size: 64 }];
const plan = (wishes: Partial<AddressWishes>, subnets: readonly string[] = []) =>
  planIpv6({ auxAddresses: {}, ...wishes }, { subnets, pools });

test('a network without wishes gets the first free subnet of the pool and its first address', () => {
  const taken = ['fd00:9::/64', '172.17.0.0/16', 'fd00:9:0:1:8000::/65'];
  const { subnet, gateway, subnetChosen } = plan({}, taken);
  assert.deepEqual([subnet, gateway, subnetChosen], ['fd00:9:0:2::/64', 'fd00:9:0:2::1', false]);
  assert.throws(() => plan({}, ['fd00:9::/48']), /all predefined address pools/);
});

test('gateway, range and auxiliary addresses lie within the subnet', () => {
  const subnet = 'fd77::/64';
  assert.equal(plan({ subnet, auxAddresses: { router: 'fd77::1' } }).gateway, 'fd77::2');
  assert.equal(plan({ subnet, ipRange: 'fd77::8:0/112' }).gateway, 'fd77::8:0');
  const refused: [Partial<AddressWishes>, string][] = [
    [{ subnet: 'fd77::1/64' }, 'invalid-argument'],
    [{ subnet: 'fd77::/127' }, 'invalid-argument'],
    [{ subnet, gateway: 'fd78::1' }, 'invalid-argument'],
    [{ subnet, ipRange: 'fd77::/48' }, 'invalid-argument'],
    [{ subnet, auxAddresses: { router: '10.0.0.1' } }, 'invalid-argument'],
    [{ subnet: 'fd55::/48' }, 'forbidden'],
  ];
  for (const [wishes, kind] of refused) {
    assert.throws(
      () => plan(wishes, ['fd55:0:0:7::/64']),
      (error) => kindOf(error) === kind,
      JSON.stringify(wishes),
    );
  }
});

test('the range of a machine is unique local, the same each time, and differs from those of others', () => {
  const [one, again, other] = ['a', 'a', 'b'].map((seed) => uniqueLocalPool(seed).base.address);
  assert.equal(one, again);
  assert.notEqual(one, other);
  assert.equal((one ?? 0n) >> 120n, 0xfdn);
});
