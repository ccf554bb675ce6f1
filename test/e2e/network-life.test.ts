/** Networks that come and go by the hundred, and containers that join them: nothing is refused, nothing is left. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inventoryOf } from '../support/crash/inventory.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';

/** As many as a day of compose projects makes. */
const CYCLES = 500;
const JOINS = 200;
const WIDTH = 8;

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

/** Calls the API, and demands success. */
async function call(method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const sent = method === 'POST' ? { headers, body: JSON.stringify(body) } : {};
  const answer = await requestOverSocket(daemon.socketPath, path, { method, ...sent });
  assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${answer.body}`);
}

/** Does something `count` times, `WIDTH` at a time. */
async function inTurns(count: number, work: (lane: number) => Promise<void>): Promise<void> {
  let left = count;
  const worker = async (lane: number) => {
    while (left-- > 0) await work(lane);
  };
  await Promise.all(Array.from({ length: WIDTH }, (_, lane) => worker(lane)));
}

/** What the daemon holds, and what its host and engine have open. */
async function holdings(): Promise<readonly string[]> {
  const { anchor, host } = await daemon.status();
  assert.ok(anchor !== undefined && host !== undefined);
  return await inventoryOf(daemon.home, { anchor: anchor.pid, host: host.pid });
}

test(`${CYCLES} networks that are made and removed leave nothing`, async () => {
  const before = await holdings();
  await inTurns(CYCLES, async (lane) => {
    await call('POST', '/networks/create', { Name: `cycle${lane}`, EnableIPv6: lane % 2 === 0 });
    await call('DELETE', `/networks/cycle${lane}`);
  });
  await eventually(async () => {
    assert.deepEqual(await holdings(), before);
    return true;
  });
});

test(`${JOINS} containers start, are connected and disconnected, and end, without one refusal`, async () => {
  const before = await holdings();
  await call('POST', '/networks/create', { Name: 'busy', EnableIPv6: true });
  const Cmd = ['sleep', '1000'];
  await inTurns(JOINS / 20, async (lane) => {
    const name = `joiner${lane}`;
    await call('POST', `/containers/create?name=${name}`, { Image: BUSYBOX, Cmd });
    for (let round = 0; round < 20; round++) {
      await call('POST', `/containers/${name}/start`);
      await call('POST', '/networks/busy/connect', { Container: name });
      await call('POST', '/networks/busy/disconnect', { Container: name });
      await call('POST', `/containers/${name}/kill`);
      await call('POST', `/containers/${name}/wait`);
    }
    await call('DELETE', `/containers/${name}?force=1`);
  });
  await call('DELETE', '/networks/busy');
  await eventually(async () => {
    assert.deepEqual(await holdings(), before);
    return true;
  });
});
