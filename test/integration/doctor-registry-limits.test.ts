/** What the doctor makes of the limits that the engine knows of. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkRegistryLimits } from '../../src/host/control/check-registry-limits.ts';

async function examined(limits: readonly object[]) {
  const dir = await mkdtemp(join(tmpdir(), 'limits-'));
  const socket = join(dir, 'socket');
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/wherry/registries/limits' ? 200 : 404;
    response.end(JSON.stringify(limits));
  });
  server.listen(socket);
  await once(server, 'listening');
  try {
    return await checkRegistryLimits('registry limits', socket);
  } finally {
    server.close();
    await rm(dir, { recursive: true });
  }
}

const ago = (minutes: number) => Date.now() - minutes * 60_000 - 1000;

test('limits are told with their age, and used up ones with the cure', async () => {
  const some = { domain: 'docker.io', left: '76 of 100 pulls left in 6 hours', saidAtMs: ago(5) };
  const fine = await examined([some]);
  assert.equal(fine.state, 'ok');
  assert.equal(fine.detail, 'docker.io: 76 of 100 pulls left in 6 hours (5 minutes ago)');
  const none = { domain: 'example.org', left: '0 pulls left', saidAtMs: ago(0) };
  const tight = await examined([some, none]);
  assert.equal(tight.state, 'limited');
  assert.match(tight.detail, /; example\.org: 0 pulls left \(0 minutes ago\)$/);
  assert.match(tight.cure ?? '', /docker login/);
});

test('without any, and without a daemon, nothing is wrong', async () => {
  assert.equal((await examined([])).state, 'ok');
  const { state, detail } = await checkRegistryLimits('registry limits', '/nowhere/socket');
  assert.deepEqual([state, detail], ['ok', 'no registry has told of any']);
});
