import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeRules } from './bridge-rules.ts';

const network = (bridgeName: string, subnet: string, internal = false) => ({
  bridgeName,
  subnet,
  internal,
  neighbours: true,
});
const rules = bridgeRules([network('docker0', '172.17.0.0/16')]);

test('the rules replace their own table whether it exists or not', () => {
  const [create, remove, refill] = rules.split('\n');
  assert.deepEqual(
    [create, remove, refill],
    ['table ip wherry', 'delete table ip wherry', 'table ip wherry {'],
  );
});

test('containers leave with the address of the engine and are reached by answers only', () => {
  assert.match(rules, /ip saddr 172\.17\.0\.0\/16 oifname != "docker0" masquerade/);
  assert.match(
    rules,
    /oifname \{ "docker0" \} ct state established,related accept\n\s+oifname \{ "docker0" \} drop/,
  );
});

test('members of an internal network neither leave nor pass', () => {
  const two = bridgeRules([
    network('docker0', '172.17.0.0/16'),
    network('br-1', '172.18.0.0/16', true),
  ]);
  assert.doesNotMatch(two, /172\.18\.0\.0\/16/);
  assert.match(two, /iifname "br-1" oifname "br-1" accept\n\s+iifname \{ "br-1" \} drop/);
});
