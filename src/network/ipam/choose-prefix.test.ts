import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../../shared/errors.ts';
import { formatPrefix } from '../../sys/netlink/ipv4.ts';
import { choosePrefix, type PrefixDemand, subnetOf } from './choose-prefix.ts';

const choose = (demand: Partial<PrefixDemand>) =>
  formatPrefix(
    choosePrefix({ bridgeAddress: undefined, preferred: undefined, occupied: [], ...demand }),
  );

test('a fresh machine gets the network that Docker has', () => {
  assert.equal(choose({}), '172.17.0.1/16');
  assert.equal(choose({ occupied: ['10.0.2.0/24', '0.0.0.0/0', 'garbage'] }), '172.17.0.1/16');
});

test('a pool entry that collides with a network of the host is passed over', () => {
  assert.equal(choose({ occupied: ['172.17.0.0/16'] }), '172.18.0.1/16');
  assert.equal(choose({ occupied: ['172.16.0.0/14'] }), '172.20.0.1/16');
  assert.equal(choose({ occupied: ['172.16.0.0/12'] }), '192.168.0.1/20');
  assert.equal(choose({ occupied: ['172.16.0.0/12', '192.168.1.0/24'] }), '192.168.16.1/20');
});

test('when everything collides, the error names the way out', () => {
  assert.throws(
    () => choose({ occupied: ['172.16.0.0/12', '192.168.0.0/16'] }),
    (error) => kindOf(error) === 'conflict' && /--bip/.test(String(error)),
  );
});

test('an earlier choice is kept until it collides', () => {
  assert.equal(choose({ preferred: '172.19.0.0/16' }), '172.19.0.1/16');
  assert.equal(
    choose({ preferred: '172.19.0.0/16', occupied: ['172.19.3.0/24'] }),
    '172.17.0.1/16',
  );
});

test('the bridge address of the user is taken as it is, or refused with a reason', () => {
  assert.equal(choose({ bridgeAddress: '10.200.0.5/24' }), '10.200.0.5/24');
  for (const bridgeAddress of ['10.200.0.0/24', '10.200.0.255/24', '10.200.0.1', '10.0.0.1/31']) {
    assert.throws(
      () => choose({ bridgeAddress }),
      (error) => kindOf(error) === 'invalid-argument',
      bridgeAddress,
    );
  }
});

test('the subnet of a bridge address has no host bits', () => {
  assert.equal(subnetOf({ address: 0xac110001, prefixLength: 16 }), '172.17.0.0/16');
});
