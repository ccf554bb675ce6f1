import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, test } from 'node:test';
import { WebSocket } from 'ws';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

test('a container is talked to over WebSocket until it ends', async () => {
  await daemon.ok('create', '-i', '--name', 'chat', BUSYBOX, 'sh', '-c', 'head -n 1; exit 5');
  const path = '/v1.51/containers/chat/attach/ws?stream=1&stdin=1&stdout=1&stderr=1';
  const client = new WebSocket(`ws+unix:${daemon.socketPath}:${path}`);
  let received = '';
  client.on('message', (data: Buffer, isBinary) => {
    received += isBinary ? data.toString('utf8') : 'not binary';
  });
  const closed = once(client, 'close');
  await once(client, 'open');
  await daemon.ok('start', 'chat');
  client.send('hello\n');
  assert.equal((await closed)[0], 1000);
  assert.equal(received, 'hello\n');
  assert.equal(await daemon.ok('wait', 'chat'), '5');
  await daemon.ok('rm', 'chat');
});

test('what was printed before is replayed when it is asked for', async () => {
  await daemon.ok('run', '-d', '--name', 'early', BUSYBOX, 'sh', '-c', 'echo before; sleep 1000');
  await eventually(async () => (await daemon.ok('logs', 'early')) === 'before');
  const path = '/containers/early/attach/ws?logs=1&stream=1&stdout=1';
  const client = new WebSocket(`ws+unix:${daemon.socketPath}:${path}`);
  const [message] = (await once(client, 'message')) as [Buffer];
  assert.equal(message.toString('utf8'), 'before\n');
  client.close();
  await once(client, 'close');
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Running}}', 'early'), 'true');
  await daemon.ok('rm', '-f', 'early');
});
