/** Trees that a client sends, packet by packet: also those that no honest client would send. */
import assert from 'node:assert/strict';
import { lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { EncodableOf, MessageOf } from '../../src/builder/buildkit/proto/message.ts';
import { PACKET, Packet, type Stat } from '../../src/builder/buildkit/proto/session.ts';
import { ContextStore } from '../../src/builder/buildkit/session/context-store.ts';
import { type PacketCall, receiveTree } from '../../src/builder/buildkit/session/receive-tree.ts';
import { silentLogger } from '../../src/shared/logger.ts';

type Entry = EncodableOf<typeof Stat>;
const DIRECTORY = 2 ** 31 + 0o755;
const SYMLINK = 2 ** 27 + 0o777;
const MTIME = 1_700_000_000_123_456_000n;

/** A client that lists `entries` and sends `contents` of the files that it is asked for. */
class Sender {
  readonly asked: string[] = [];
  readonly #entries: readonly Entry[];
  readonly #contents: Readonly<Record<string, string>>;

  constructor(entries: readonly Entry[], contents: Readonly<Record<string, string>> = {}) {
    this.#entries = entries;
    this.#contents = contents;
  }

  call(): PacketCall {
    const requests: number[] = [];
    let wake: () => void = () => undefined;
    let isDone = false;
    const entries = this.#entries;
    const answer = (packet: EncodableOf<typeof Packet>): MessageOf<typeof Packet> =>
      Packet.decode(Packet.encode(packet));
    const packetsOf = (id: number) => {
      const path = entries[id]?.path ?? '';
      this.asked.push(path);
      const data = Buffer.from(this.#contents[path] ?? '');
      const end = answer({ type: PACKET.data, id });
      return data.length === 0 ? [end] : [answer({ type: PACKET.data, id, data }), end];
    };
    async function* messages() {
      for (const stat of entries) yield answer({ type: PACKET.stat, stat });
      yield answer({ type: PACKET.stat });
      for (;;) {
        yield* requests.splice(0).flatMap(packetsOf);
        if (isDone) {
          yield answer({ type: PACKET.fin });
          return;
        }
        if (requests.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    }
    return {
      messages: messages(),
      async send(packet) {
        if (packet.type === PACKET.request) requests.push(packet.id ?? 0);
        if (packet.type === PACKET.fin) isDone = true;
        wake();
      },
      end: () => undefined,
      cancel: () => undefined,
    };
  }
}

async function inTemp(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-transfer-'));
  try {
    await run(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const receive = (dir: string, sender: Sender) =>
  receiveTree(sender.call(), { dir, onProgress: () => undefined });

const file = (path: string, text: string, mode = 0o644): Entry => ({
  ...{ path, mode, size: Buffer.byteLength(text), modTime: MTIME },
});
const directory = (path: string): Entry => ({ path, mode: DIRECTORY, modTime: MTIME });

test('a tree arrives with its modes, times and links, and later only what changed', () =>
  inTemp(async (dir) => {
    const entries = [
      directory('a'),
      file('a/run.sh', '#!', 0o755),
      { ...file('a/twin.sh', '#!', 0o755), linkname: 'a/run.sh' },
      { path: 'link', mode: SYMLINK, linkname: '../out/of/here', modTime: MTIME },
      file('text', 'hello'),
    ];
    const contents = { 'a/run.sh': '#!', text: 'hello' };
    const first = new Sender(entries, contents);
    assert.equal(await receive(dir, first), 7);
    assert.equal(readFileSync(join(dir, 'text'), 'utf8'), 'hello');
    assert.equal(statSync(join(dir, 'a/run.sh')).mode & 0o7777, 0o755);
    assert.equal(statSync(join(dir, 'a/run.sh')).ino, statSync(join(dir, 'a/twin.sh')).ino);
    assert.equal(readlinkSync(join(dir, 'link')), '../out/of/here');
    assert.equal(lstatSync(join(dir, 'text'), { bigint: true }).mtimeNs / 1000n, MTIME / 1000n);
    assert.equal(lstatSync(join(dir, 'a'), { bigint: true }).mtimeNs / 1000n, MTIME / 1000n);

    const second = new Sender([file('text', 'world')], { text: 'world' });
    await receive(dir, second);
    // Size, mode and time are the same: it is taken for the same file, as by every tool that copies changes.
    assert.deepEqual(second.asked, []);
    assert.deepEqual(await readdir(dir), ['text']);

    const third = new Sender([{ ...file('text', 'world'), modTime: MTIME + 5_000n }], {
      text: 'world',
    });
    await receive(dir, third);
    assert.equal(readFileSync(join(dir, 'text'), 'utf8'), 'world');
  }));

test('what was a file becomes a directory or a link, and the other way round', () =>
  inTemp(async (dir) => {
    await receive(dir, new Sender([file('a', ''), directory('b'), file('b/c', '')]));
    const link = { path: 'c', mode: SYMLINK, linkname: 'b', modTime: MTIME };
    await receive(
      dir,
      new Sender([directory('a'), file('a/x', 'x'), file('b', 'b'), link], { 'a/x': 'x', b: 'b' }),
    );
    assert.equal(readFileSync(join(dir, 'a/x'), 'utf8'), 'x');
    assert.equal(readFileSync(join(dir, 'c'), 'utf8'), 'b');
  }));

for (const [what, entries] of [
  ['a way up', [file('../evil', 'x')]],
  ['an absolute path', [file('/evil', 'x')]],
  ['a directory that was not announced', [file('sub/evil', 'x')]],
  [
    'a link in place of a directory',
    [{ path: 'l', mode: SYMLINK, linkname: '/tmp' }, file('l/evil', 'x')],
  ],
  ['the same name twice', [file('a', 'x'), file('a', 'x')]],
  ['a hard link to outside', [{ ...file('a', 'x'), linkname: '../../etc/passwd' }]],
] as const) {
  test(`a transfer with ${what} is refused`, () =>
    inTemp(async (dir) => {
      await assert.rejects(receive(dir, new Sender(entries, { a: 'x' })), /invalid path/);
    }));
}

test('a link that an earlier transfer left leads no file out of the directory', () =>
  inTemp(async (dir) => {
    await writeFile(join(dir, 'victim'), 'safe');
    const inside = join(dir, 'context');
    const store = new ContextStore(inside, silentLogger);
    const held = await store.take('key');
    await symlink(join(dir, 'victim'), join(held.dir, 'a'));
    await symlink(dir, join(held.dir, 'd'));
    await receive(
      held.dir,
      new Sender([file('a', 'evil'), directory('d'), file('d/victim', 'evil')], {
        a: 'evil',
        'd/victim': 'evil',
      }),
    );
    assert.equal(readFileSync(join(dir, 'victim'), 'utf8'), 'safe');
    await held.release();
  }));

test('a client that cannot read a file is heard', () =>
  inTemp(async (dir) => {
    const call = new Sender([]).call();
    async function* failing() {
      yield Packet.decode(Packet.encode({ type: PACKET.error, data: Buffer.from('no such file') }));
    }
    await assert.rejects(
      receiveTree({ ...call, messages: failing() }, { dir, onProgress: () => undefined }),
      /error from sender: no such file/,
    );
  }));

test('what is kept of contexts is counted, and goes when nobody uses it', () =>
  inTemp(async (dir) => {
    const root = join(dir, 'contexts');
    const store = new ContextStore(root, silentLogger);
    assert.deepEqual(await store.entries(), []);
    const [kept, used] = [await store.take('kept'), await store.take('used')];
    await store.take(undefined);
    await writeFile(join(kept.dir, 'a'), 'four');
    await kept.release();
    const entries = await store.entries();
    const found = entries.map(({ type, sizeBytes, inUse }) => [type, sizeBytes, inUse]);
    assert.deepEqual(found.sort(), [
      ['source.local', 0, true],
      ['source.local', 4, false],
    ]);
    const gone = await store.evict([...entries.map(({ id }) => id), 'never']);
    assert.deepEqual(
      gone,
      entries.filter(({ inUse }) => !inUse).map(({ id }) => id),
    );
    assert.deepEqual(await store.evict(gone), []);
    assert.ok((await readdir(root)).includes(basename(used.dir)));
    assert.equal((await readdir(root)).length, 2);
  }));

test('a directory has one user at a time, and what is for one use goes', () =>
  inTemp(async (dir) => {
    const store = new ContextStore(join(dir, 'contexts'), silentLogger);
    const [one, two, once] = [
      await store.take('k'),
      await store.take('k'),
      await store.take(undefined),
    ];
    assert.notEqual(one.dir, two.dir);
    for (const held of [one, two, once]) await held.release();
    assert.equal((await store.take('k')).dir, one.dir);
    assert.equal((await readdir(join(dir, 'contexts'))).length, 1);
  }));
