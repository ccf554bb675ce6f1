import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import Docker from 'dockerode';
import { tarOf } from '../../scripts/image/tar-of.ts';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { requestOverSocket } from '../support/http-over-socket.ts';
import { BUSYBOX } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const docker = new Docker({ socketPath: daemon.socketPath });

// The documentation's examples run this image.
before(() => daemon.ok('tag', BUSYBOX, 'ubuntu'));

const idle = () => docker.createContainer({ Image: 'ubuntu', Cmd: ['sleep', '1000'] });

/** Waits for the end of a stream of progress, as the documentation does. */
const progress = (stream: NodeJS.ReadableStream) =>
  new Promise<readonly Readonly<Record<string, unknown>>[]>((resolve, reject) => {
    docker.modem.followProgress(stream, (error, output) => {
      if (error) reject(error);
      else resolve(output);
    });
  });

/** What a demultiplexed stream of the engine carries on both sides. */
async function demuxed(stream: NodeJS.ReadableStream): Promise<readonly [string, string]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => {
    stdout.end();
    stderr.end();
  });
  return Promise.all([text(stdout), text(stderr)]);
}

test('a container is run with its output in a stream and its exit code as the result', async () => {
  const output = new PassThrough();
  const reading = text(output);
  const [result] = await docker.run(BUSYBOX, ['sh', '-c', 'echo hello; exit 3'], output);
  output.end();
  assert.equal(result.StatusCode, 3);
  assert.match(await reading, /hello/);
});

test('run takes two streams, settings, and tells of the container it made', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const reading = Promise.all([text(stdout), text(stderr)]);
  const network = await docker.createNetwork({ Name: 'my_network' });
  const settings = {
    name: 'ran',
    Tty: false,
    HostConfig: { AutoRemove: true, NetworkMode: 'my_network' },
  };
  const emitted: string[] = [];
  const ended = new Promise<{ StatusCode: number }>((resolve, reject) => {
    const run = docker.run(
      'ubuntu',
      ['sh', '-c', 'echo out; echo err >&2'],
      [stdout, stderr],
      settings,
      (error: Error | null, data: { StatusCode: number }) =>
        error ? reject(error) : resolve(data),
    );
    for (const event of ['container', 'stream', 'data', 'start']) {
      run.on(event, () => emitted.push(event));
    }
  });
  assert.equal((await ended).StatusCode, 0);
  stdout.end();
  stderr.end();
  assert.deepEqual(await reading, ['out\n', 'err\n']);
  assert.ok(emitted.includes('container') && emitted.includes('stream'));
  await network.remove();
});

test('a container with a terminal is started, resized, stopped and removed', async () => {
  const container = await docker.createContainer({
    Image: 'ubuntu',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: true,
    Cmd: ['/bin/sh', '-c', 'tail -f /dev/null'],
    OpenStdin: false,
    StdinOnce: false,
  });
  await container.start();
  await container.resize({ h: 40, w: 100 });
  const exec = await container.exec({ Cmd: ['stty', 'size'], AttachStdout: true, Tty: true });
  await exec.start({});
  await container.stop({ t: 0 });
  await container.remove();
  await assert.rejects(container.inspect(), { statusCode: 404, reason: 'no such container' });
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

test('all running containers are listed and stopped', async () => {
  const made = await Promise.all([idle(), idle()]);
  await Promise.all(made.map((container) => container.start()));
  const listed = await docker.listContainers();
  assert.deepEqual(listed.map(({ Id }) => Id).toSorted(), made.map(({ id }) => id).toSorted());
  await Promise.all(listed.map(({ Id }) => docker.getContainer(Id).stop({ t: 0 })));
  assert.deepEqual(await docker.listContainers(), []);
  assert.equal((await docker.pruneContainers()).ContainersDeleted.length >= 2, true);
});

test('the life of a container is told by its own calls', async () => {
  const container = await idle();
  await container.start();
  await container.rename({ name: 'renamed' });
  await container.pause();
  assert.equal((await container.inspect()).State.Status, 'paused');
  await container.unpause();
  await container.restart({ t: 0 });
  assert.match(JSON.stringify(await container.top({ ps_args: '-ef' })), /sleep 1000/);
  assert.ok((await container.stats({ stream: false })).memory_stats);
  await container.update({ CpuShares: 512 });
  await container.kill({ signal: 'SIGKILL' });
  assert.equal((await container.wait()).StatusCode, 137);
  await assert.rejects(container.kill(), { statusCode: 409 });
  await container.remove();
});

test('an attached stream carries input and both outputs', async () => {
  const container = await docker.createContainer({
    Image: 'ubuntu',
    Cmd: ['sh', '-c', 'read line; echo got $line; echo oops >&2'],
    OpenStdin: true,
    StdinOnce: true,
    Tty: false,
  });
  const stream = await container.attach({
    stream: true,
    hijack: true,
    stdin: true,
    stdout: true,
    stderr: true,
  });
  const reading = demuxed(stream);
  await container.start();
  stream.end('a line\n');
  assert.deepEqual(await reading, ['got a line\n', 'oops\n']);
  await container.remove({ force: true });
});

test('logs are given at once or followed', async () => {
  const container = await docker.createContainer({
    Image: 'ubuntu',
    Cmd: ['sh', '-c', 'echo 1; echo 2'],
  });
  await container.start();
  const followed = await container.logs({ follow: true, stdout: true, stderr: true });
  assert.deepEqual(await demuxed(followed), ['1\n2\n', '']);
  await container.wait();
  const tail = await container.logs({ stdout: true, tail: 1 });
  assert.match(tail.toString(), /2\n$/);
  await container.remove();
});

test('an exec session gives its output and its exit code', async () => {
  const container = await docker.createContainer({ Image: BUSYBOX, Cmd: ['sleep', '1000'] });
  await container.start();
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'sha1sum -; exit 8'],
    AttachStdin: true,
    AttachStdout: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true });
  const reading = demuxed(stream);
  stream.end('through exec\n');
  assert.match((await reading)[0], /^[0-9a-f]{40} {2}-\n$/);
  assert.equal((await exec.inspect()).ExitCode, 8);
  await container.remove({ force: true });
});

test('archives go in and out, and changes, export and commit tell of them', async () => {
  const container = await docker.createContainer({ Image: 'ubuntu', Cmd: ['cat', '/tmp/cargo'] });
  const content = Buffer.from('barrels');
  await container.putArchive(
    await tarOf([{ kind: 'file', path: 'cargo', mode: 0o644, content }], 0),
    {
      path: '/tmp',
    },
  );
  const archive = await container.getArchive({ path: '/tmp/cargo' });
  assert.ok((await buffer(archive)).includes('barrels'));
  const changes = (await container.changes()) as readonly { Path: string }[];
  assert.ok(changes.some(({ Path }) => Path === '/tmp/cargo'));
  assert.ok((await buffer(await container.export())).includes('barrels'));
  const { Id } = await container.commit({ repo: 'committed', tag: 'ode' });
  const output = new PassThrough();
  const reading = text(output);
  await docker.run('committed:ode', ['cat', '/tmp/cargo'], output);
  output.end();
  assert.match(await reading, /barrels/);
  await docker.pruneContainers();
  await docker.getImage('committed:ode').remove();
  await assert.rejects(docker.getImage(Id).inspect(), { statusCode: 404 });
});

test('a volume is created, listed, inspected, used and removed', async () => {
  const made = await docker.createVolume({ Name: 'ode', Labels: { kind: 'test' } });
  assert.equal(made.name, 'ode');
  const { Volumes } = await docker.listVolumes({ filters: { label: ['kind=test'] } });
  assert.deepEqual(
    Volumes.map(({ Name }) => Name),
    ['ode'],
  );
  const volume = docker.getVolume('ode');
  assert.equal((await volume.inspect()).Driver, 'local');
  const bound = { HostConfig: { Binds: ['ode:/data'], AutoRemove: true } };
  await docker.run('ubuntu', ['touch', '/data/x'], new PassThrough(), bound);
  // The call ends with the run; that the container is removed as well comes a moment later.
  await eventually(() => volume.remove().then(() => true));
  await assert.rejects(volume.inspect(), { statusCode: 404 });
  await docker.createVolume({});
  assert.equal((await docker.pruneVolumes()).VolumesDeleted.length, 1);
});

test('a network is created, joined, left and removed', async () => {
  const network = await docker.createNetwork({
    Name: 'ode',
    Driver: 'bridge',
    CheckDuplicate: true,
  });
  const container = await idle();
  await container.start();
  await network.connect({ Container: container.id, EndpointConfig: { Aliases: ['friend'] } });
  assert.deepEqual(Object.keys((await network.inspect()).Containers ?? {}), [container.id]);
  await assert.rejects(network.remove(), { statusCode: 403 });
  await network.disconnect({ Container: container.id, Force: true });
  await container.remove({ force: true });
  await network.remove();
  const names = (await docker.listNetworks()).map(({ Name }) => Name);
  assert.deepEqual(names.toSorted(), ['bridge', 'host', 'none']);
});

test('images are tagged, pushed, pulled with progress, inspected, saved, loaded and removed', async () => {
  const repo = `${registry.host}/ode`;
  const image = docker.getImage('ubuntu');
  await image.tag({ repo, tag: 'one' });
  await progress(await docker.getImage(`${repo}:one`).push({}));
  await docker.getImage(`${repo}:one`).remove();
  const pulled = await progress(await docker.pull(`${repo}:one`));
  assert.match(JSON.stringify(pulled.at(-1)), /Status: Downloaded newer image|Image is up to date/);
  const created = await progress(await docker.createImage({ fromImage: repo, tag: 'one' }));
  assert.match(JSON.stringify(created), /up to date/);
  const listed = await docker.listImages({ filters: { reference: [`${repo}:one`] } });
  assert.deepEqual(
    listed.map(({ RepoTags }) => RepoTags?.includes(`${repo}:one`)),
    [true],
  );
  assert.ok((await image.history()).length > 0);
  assert.match((await docker.getImage(`${repo}:one`).distribution()).Descriptor.digest, /^sha256:/);
  const saved = await buffer(await docker.getImage(`${repo}:one`).get());
  await docker.getImage(`${repo}:one`).remove();
  const loaded = await progress(await docker.loadImage(Readable.from([saved])));
  assert.match(JSON.stringify(loaded), /Loaded image/);
  await docker.getImage(`${repo}:one`).remove();
  assert.ok(await docker.pruneImages());
});

test('the engine answers ping, version, info, and usage', async () => {
  assert.equal(String(await docker.ping()), 'OK');
  assert.match((await docker.version()).ApiVersion, /^1\.\d+$/);
  assert.equal((await docker.info()).OSType, 'linux');
  assert.ok(Array.isArray((await docker.df()).Volumes));
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

/** A context of these files, as an archive. */
async function archiveOf(files: Readonly<Record<string, string>>): Promise<Readable> {
  const entries = Object.entries(files).map(
    ([path, content]) =>
      ({ kind: 'file', path, mode: 0o644, content: Buffer.from(content) }) as const,
  );
  return Readable.from([await tarOf(entries, 0)]);
}

/** What the only command of an image prints. */
async function printedBy(image: string): Promise<string> {
  const output = new PassThrough();
  await docker.run(image, [], output);
  output.end();
  return text(output);
}

test('an image is built from an archive of its context', async () => {
  const archive = await archiveOf({
    Dockerfile: 'FROM ubuntu\nCOPY cargo /cargo\nCMD ["cat", "/cargo"]',
    cargo: 'tea',
  });
  const lines = await progress(await docker.buildImage(archive, { t: 'built:ode' }));
  const built = lines.find(({ aux }) => aux !== undefined)?.['aux'];
  const { Id } = await docker.getImage('built:ode').inspect();
  assert.deepEqual(built, { ID: Id });
  assert.equal(await printedBy('built:ode'), 'tea');
  await docker.getImage('built:ode').remove({ force: true });
});

test('an archive is built by BuildKit’s rules, with a session beside it or without any', async () => {
  const archive = () =>
    archiveOf({
      'own.Dockerfile':
        'FROM ubuntu\nCOPY cargo /cargo\nRUN --mount=type=cache,target=/c cp /cargo /c && cp /c/cargo /twin\n' +
        'CMD ["cat", "/twin"]',
      cargo: 'coffee',
    });
  const options = { dockerfile: 'own.Dockerfile', version: '2' } as const;
  await progress(await docker.buildImage(await archive(), { ...options, t: 'kit:session' }));
  assert.equal(await printedBy('kit:session'), 'coffee');

  const query = new URLSearchParams({ ...options, t: 'kit:alone' });
  const alone = await requestOverSocket(daemon.socketPath, `/build?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar' },
    body: await buffer(await archive()),
  });
  assert.match(alone.body, /moby\.image\.id/);
  assert.equal(await printedBy('kit:alone'), 'coffee');
});
