import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import Docker from 'dockerode';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const docker = new Docker({ socketPath: daemon.socketPath });

test('a container is run with its output in a stream and its exit code as the result', async () => {
  const output = new PassThrough();
  const reading = text(output);
  const [result] = await docker.run(BUSYBOX, ['sh', '-c', 'echo hello; exit 3'], output);
  output.end();
  assert.equal(result.StatusCode, 3);
  assert.match(await reading, /hello/);
});

test('a container is created, started, inspected, stopped and removed', async () => {
  const container = await docker.createContainer({
    Image: BUSYBOX,
    Cmd: ['sleep', '1000'],
    name: 'ode',
  });
  await container.start();
  assert.equal((await container.inspect()).State.Running, true);
  await container.stop({ t: 0 });
  assert.equal((await container.wait()).StatusCode, 137);
  await container.remove();
  await assert.rejects(container.inspect(), { statusCode: 404 });
});

test('an exec session gives its output and its exit code', async () => {
  const container = await docker.createContainer({ Image: BUSYBOX, Cmd: ['sleep', '1000'] });
  await container.start();
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'cat; exit 8'],
    AttachStdin: true,
    AttachStdout: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const stdout = new PassThrough();
  docker.modem.demuxStream(stream, stdout, new PassThrough());
  stream.on('end', () => stdout.end());
  stream.end('through exec\n');
  assert.equal(await text(stdout), 'through exec\n');
  assert.equal((await exec.inspect()).ExitCode, 8);
  await container.remove({ force: true });
});

test('events arrive while a container lives', async () => {
  const stream = await docker.getEvents({ filters: { type: ['container'] } });
  const seen: string[] = [];
  stream.setEncoding('utf8');
  stream.on('data', (line: string) => seen.push(line));
  await docker.run(BUSYBOX, ['true'], new PassThrough(), { HostConfig: { AutoRemove: true } });
  await eventually(() => seen.join('').includes('destroy'));
  assert.match(seen.join(''), /"Action":"start"/);
});
