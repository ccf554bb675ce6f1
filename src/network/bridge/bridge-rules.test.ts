import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bridgeRules, type RuleSettings } from './bridge-rules.ts';

const network = (bridgeName: string, subnet: string, changes: Partial<RuleSettings> = {}) => ({
  bridgeName,
  subnets: [subnet],
  internal: false,
  masquerade: true,
  neighbours: true,
  ...changes,
});
const rules = bridgeRules([
  network('docker0', '172.17.0.0/16', { subnets: ['172.17.0.0/16', 'fd00:1::/64'] }),
  network('br-1', '172.18.0.0/16', { internal: true }),
  network('br-2', '172.19.0.0/16', { neighbours: false, masquerade: false }),
]);

test('the rules replace their own table whether it exists or not', () => {
  assert.match(rules, /^table inet wherry\ndelete table inet wherry\ntable inet wherry \{$/m);
});

test('containers leave with the address of the engine, in both families, unless they must or shall not', () => {
  assert.match(rules, /set leave4 .* elements = \{ 172\.17\.0\.0\/16 \}/);
  assert.match(rules, /set leave6 .* elements = \{ fd00:1::\/64 \}/);
});

test('every network is closed to what is not an answer, and an internal one also lets nothing out', () => {
  assert.match(rules, /set bridges .* \{ "docker0", "br-1", "br-2" \}/);
  assert.match(rules, /set closed .* \{ "br-1" \}/);
  assert.match(rules, /set friendly .* \{ "docker0" \. "docker0", "br-1" \. "br-1" \}/);
  assert.match(rules, /set apart .* \{ "br-2" \. "br-2" \}/);
  assert.match(rules, /established,related accept\n\s+oifname @bridges drop/);
});

test('a packet meets as many rules with two hundred networks as with one', () => {
  const many = Array.from({ length: 200 }, (_, at) => network(`br-${at}`, `10.${at}.0.0/16`));
  assert.equal(
    bridgeRules(many).split('\n').length,
    bridgeRules(many.slice(0, 1)).split('\n').length,
  );
});
