import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type NetworkId, newContainerId } from '../../shared/ids.ts';
import type { Endpoint } from '../sandbox-service.ts';
import { NameTable } from './name-table.ts';

const endpoint = (networkName: string, ipAddress: string, names: readonly string[]): Endpoint => ({
  networkName,
  networkId: networkName as NetworkId,
  endpointId: ipAddress,
  ipAddress,
  prefixLength: 16,
  gateway: '10.0.0.1',
  macAddress: '',
  names,
});

const [web, db, other] = [newContainerId(), newContainerId(), newContainerId()];

function table(): NameTable {
  const names = new NameTable();
  names.set(web, [endpoint('front', '10.0.0.2', ['web', 'site'])]);
  names.set(db, [
    endpoint('front', '10.0.0.3', ['db', 'site']),
    endpoint('back', '10.1.0.3', ['db']),
  ]);
  names.set(other, [endpoint('back', '10.1.0.4', ['other'])]);
  return names;
}

test('names are known on the networks that asker and answerer share, in any case', () => {
  const names = table();
  assert.deepEqual(names.addressesOf(web, 'DB'), ['10.0.0.3']);
  assert.deepEqual(names.addressesOf(other, 'db'), ['10.1.0.3']);
  assert.deepEqual(names.addressesOf(db, 'db.back'), ['10.1.0.3']);
  assert.deepEqual(names.addressesOf(db, 'site'), ['10.0.0.2', '10.0.0.3']);
  assert.equal(names.addressesOf(web, 'other'), undefined);
});

test('a name that is gone is unknown at once', () => {
  const names = table();
  names.addressesOf(web, 'db');
  names.delete(db);
  assert.equal(names.addressesOf(web, 'db'), undefined);
});

test('an address gives its first name with its network', () => {
  assert.equal(table().nameOf(web, '10.0.0.3'), 'db.front');
  assert.equal(table().nameOf(web, '10.1.0.3'), undefined);
});
