import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { eventually } from '../../../../test/support/eventually.ts';
import { TARGETS } from '../../../channel/targets.ts';
import { LineDecoder } from '../../../handshake/line-codec.ts';
import { systemClock } from '../../../shared/clock.ts';
import { silentLogger } from '../../../shared/logger.ts';
import { FileEvents } from './file-events.ts';

interface Message {
  readonly hold?: readonly string[];
  readonly release?: readonly string[];
  readonly touch?: readonly string[];
}

/** A guest that keeps what it is told, with an engine that has containers with these bind mounts. */
async function fixture() {
  const root = await mkdtemp(join(tmpdir(), 'events-'));
  const told: Message[] = [];
  let sources: readonly string[] = [];
  let streams: Duplex[] = [];
  const listeners = new Set<{ write(text: string): void }>();
  const engine = createServer((request, response) => {
    if (request.url?.startsWith('/events') === true) {
      response.flushHeaders();
      listeners.add(response);
      return;
    }
    const Mounts = sources.map((Source) => ({ Type: 'bind', Source }));
    const others = { Mounts: [{ Type: 'volume', Source: join(root, 'volume') }] };
    response.end(JSON.stringify([{ Mounts }, others, {}]));
  });
  await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
  const { port } = engine.address() as AddressInfo;
  const filesStream = () => {
    const decoder = new LineDecoder();
    const stream = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) => {
        told.push(...(decoder.push(chunk) as Message[]));
        done();
      },
    });
    streams.push(stream);
    return stream;
  };
  const events = new FileEvents({
    connect: (target) =>
      target === TARGETS.api ? connectSocket({ host: '127.0.0.1', port }) : filesStream(),
    sharedDir: root,
    clock: systemClock,
    logger: silentLogger,
  });
  await eventually(() => listeners.size > 0);
  const mount = (...paths: string[]) => {
    sources = paths;
    for (const listener of listeners) listener.write('{"Action":"start"}\n');
  };
  const has = (kind: keyof Message, path: string) =>
    told.some((message) => message[kind]?.includes(path) === true);
  const cut = () => {
    for (const stream of streams) stream.destroy();
    streams = [];
    told.length = 0;
  };
  const dispose = async () => {
    events.close();
    engine.closeAllConnections();
    engine.close();
    await rm(root, { recursive: true });
  };
  return {
    at: (name: string) => join(root, name),
    mount,
    has,
    cut,
    [Symbol.asyncDispose]: dispose,
  };
}

test('the guest learns of changes in directories that containers have mounted, and of no others', async () => {
  await using files = await fixture();
  await mkdir(files.at('src/deep'), { recursive: true });
  await mkdir(files.at('volume'));
  files.mount(files.at('src'), '/etc');
  await eventually(() => files.has('hold', files.at('src/deep')));
  await writeFile(files.at('volume/file'), 'x');
  await writeFile(files.at('src/deep/file'), 'x');
  await eventually(() => files.has('touch', files.at('src/deep/file')));
  await mkdir(files.at('src/new'));
  await eventually(() => files.has('touch', files.at('src/new')));
  assert.ok(!files.has('touch', files.at('volume/file')));
  assert.ok(!files.has('hold', '/etc'));
  files.mount();
  await eventually(() => files.has('release', files.at('src/deep')));
});

test('a guest whose agent was started anew is told everything again', async () => {
  await using files = await fixture();
  await mkdir(files.at('src'));
  files.mount(files.at('src'));
  await eventually(() => files.has('hold', files.at('src')));
  files.cut();
  await eventually(() => files.has('hold', files.at('src')));
  await writeFile(files.at('src/file'), 'x');
  await eventually(() => files.has('touch', files.at('src/file')));
});
