/** A third-party client, as it is, against the API in front of the fake engine. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import Docker from 'dockerode';
import { type ApiOnSocket, apiOnSocket } from '../support/api-fixture.ts';

const client = (api: ApiOnSocket) => new Docker({ socketPath: api.socketPath });

test('an attached container’s streams come apart and its input ends', async () => {
  await using api = await apiOnSocket();
  const container = await client(api).createContainer({
    Image: 'busybox',
    Cmd: ['cat'],
    OpenStdin: true,
    StdinOnce: true,
  });
  const stream = await container.attach({
    stream: true,
    stdin: true,
    stdout: true,
    stderr: true,
    hijack: true,
  });
  const stdout = new PassThrough();
  container.modem.demuxStream(stream, stdout, new PassThrough());
  stream.on('end', () => stdout.end());
  await container.start();
  stream.end('through cat');
  assert.equal(await text(stdout), 'through cat');
  assert.equal((await container.wait()).StatusCode, 0);
});

test('attaching without an upgrade gives raw bytes, and the options never reach stdin', async () => {
  await using api = await apiOnSocket();
  const container = await client(api).createContainer({
    Image: 'busybox',
    Cmd: ['cat'],
    OpenStdin: true,
    Tty: true,
  });
  await container.start();
  const stream = await container.attach({ stream: true, stdin: true, stdout: true });
  const echoed = new Promise<string>((resolve) => {
    stream.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  stream.write('typed');
  assert.equal(await echoed, 'typed');
  await container.remove({ force: true });
});

test('an exec session runs with and without an upgrade', async () => {
  await using api = await apiOnSocket();
  const container = await client(api).createContainer({ Image: 'busybox', Cmd: ['sleep'] });
  await container.start();
  for (const hijack of [true, false]) {
    const exec = await container.exec({ Cmd: ['echo', 'hi'], AttachStdout: true, Tty: true });
    const stream = await exec.start({ hijack, stdin: false, Tty: true });
    assert.equal(await text(stream), 'hi\n');
    assert.equal((await exec.inspect()).ExitCode, 0);
  }
});

test('filters in the old shape, pulls, volumes and events work', async () => {
  await using api = await apiOnSocket();
  const docker = client(api);
  assert.deepEqual(await docker.listContainers({ filters: { label: ['a=b'] } }), []);
  await assert.rejects(docker.listContainers({ filters: { nope: ['x'] } }), { statusCode: 400 });
  const pull = await docker.pull('alpine:3');
  assert.match(await text(pull), /Downloaded newer image for alpine:3/);
  const volume = await docker.createVolume({ Name: 'data' });
  assert.equal((await docker.listVolumes()).Volumes.length, 1);
  assert.equal((await volume.inspect()).Mountpoint, '/volumes/data/_data');
  assert.equal((await docker.info()).Swarm.LocalNodeState, 'inactive');
  const events = await docker.getEvents({ until: 1 });
  assert.equal(await text(events), '');
});
