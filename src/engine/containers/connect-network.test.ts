import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleNetworkChange } from './connect-network.ts';
import type { ContainerDocument } from './container-document.ts';

const settings = { Aliases: ['web'] };

function document(endpointSettings: ContainerDocument['endpointSettings']): ContainerDocument {
  const networkChange = { networkId: 'n1', networkName: 'blue', settings };
  const hostConfig = { NetworkMode: 'bridge' };
  return { endpointSettings, hostConfig, networkChange } as unknown as ContainerDocument;
}

const settled = (before: ContainerDocument, ...networkIds: readonly string[]) =>
  settleNetworkChange(
    before,
    networkIds.map((networkId) => ({ networkId })),
  );

test('a network that was joined before the crash is stored with what was asked for', () => {
  const after = settled(document({}), 'n0', 'n1');
  assert.deepEqual(after.endpointSettings, { bridge: {}, blue: settings });
  assert.equal(after.networkChange, undefined);
});

test('a network that was not joined yet is not stored', () => {
  assert.deepEqual(settled(document({ bridge: {} }), 'n0').endpointSettings, { bridge: {} });
});

test('a container that had left its last network is on none', () => {
  assert.deepEqual(settled(document({ blue: settings })).endpointSettings, { none: {} });
});

test('a document without an intent stays as it is', () => {
  const { networkChange: _, ...before } = document({ blue: settings });
  assert.equal(settled(before), before);
});
