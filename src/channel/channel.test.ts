import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, it } from 'node:test';
import { memoryLine } from '../../test/support/memory-line.ts';
import { damaged, randomOf } from '../../test/support/mutations.ts';
import { Channel } from './channel.ts';
import { WINDOW_BYTES } from './channel-stream.ts';
import { encodeFrame, encodeGreeting, FrameDecoder, type Received } from './frame-codec.ts';

type Serve = (target: string, stream: Duplex) => void;

const echo: Serve = (_, stream) => {
  stream.on('error', () => undefined);
  stream.pipe(stream);
};
const nobody: Serve = (_, stream) => stream.destroy();

/** Everything that comes; unlike `buffer`, this leaves the other direction open. */
function all(stream: Duplex): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    stream.once('end', () => resolve(Buffer.concat(chunks)));
    stream.once('error', reject);
  });
}

class GreetedChannel extends Channel implements Disposable {
  readonly greeted: Promise<void>;

  constructor(transport: Duplex, side: 'host' | 'guest', onStream: Serve) {
    let tell = (): void => undefined;
    super({ transport, side, onStream, onGreeted: () => tell() });
    this.greeted = new Promise((resolve) => {
      tell = resolve;
    });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

async function pairOf(serve: Serve) {
  const [hostEnd, guestEnd] = memoryLine();
  const guest = new GreetedChannel(guestEnd, 'guest', serve);
  const host = new GreetedChannel(hostEnd, 'host', nobody);
  await host.greeted;
  const dispose = () => {
    host.close();
    guest.close();
  };
  return { host, guest, hostEnd, guestEnd, [Symbol.dispose]: dispose };
}

describe('the channel between host and guest', () => {
  it('carries a hundred streams at once, each whole', async () => {
    using pair = await pairOf(echo);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const sent = randomBytes(1 + index * 9_000);
        const stream = pair.host.open('echo');
        const [received] = await Promise.all([
          all(stream),
          pipeline(Readable.from([sent]), stream),
        ]);
        assert.ok(received.equals(sent), `stream ${index}`);
      }),
    );
  });

  it('ends each direction by itself', async () => {
    const tails: Promise<Buffer>[] = [];
    using pair = await pairOf((target, stream) => {
      const received = all(stream);
      tails.push(received);
      if (target === 'speaks first') stream.end('tail');
      else received.then(({ length }) => stream.end(`${length} bytes`)).catch(() => undefined);
    });
    const asking = pair.host.open('asks first');
    const answer = all(asking);
    asking.end(Buffer.alloc(3_000_000));
    assert.equal((await answer).toString(), '3000000 bytes');
    const listening = pair.host.open('speaks first');
    assert.equal((await all(listening)).toString(), 'tail');
    listening.end(Buffer.alloc(1_000_000));
    assert.equal((await tails[1])?.length, 1_000_000);
  });

  it('sends no more than a window to a reader that does not read, and others go on', async () => {
    using pair = await pairOf((target, stream) => {
      if (target === 'echo') echo(target, stream);
      else stream.on('error', () => undefined);
    });
    const stuck = pair.host.open('stuck');
    let sent = 0;
    stuck.on('error', () => undefined);
    while (stuck.write(Buffer.alloc(65_536), () => (sent += 65_536)));
    const other = pair.host.open('echo');
    const answer = all(other);
    other.end('still here');
    assert.equal((await answer).toString(), 'still here');
    assert.ok(sent <= WINDOW_BYTES, `${sent} bytes were sent`);
  });

  it('passes on that a stream was given up, with the reason', async () => {
    using pair = await pairOf((_, stream) => {
      stream.on('error', () => undefined).destroy(new Error('nobody listens there'));
    });
    const [error] = await once(pair.host.open('x').resume(), 'error');
    assert.match(String(error), /nobody listens there/);
  });

  it('cuts open streams when the other side starts anew, and serves new ones', async () => {
    using pair = await pairOf(echo);
    const stream = pair.host.open('echo');
    stream.resume();
    // The old guest dies in the middle of a frame.
    const half = encodeFrame({ stream: 1, type: 'data', payload: Buffer.alloc(30_000) });
    pair.hostEnd.push(half.subarray(0, 12_345));
    pair.guestEnd.removeAllListeners('data');
    const cut = once(stream, 'error');
    using anew = new GreetedChannel(pair.guestEnd, 'guest', echo);
    const [error] = await cut;
    assert.match(String(error), /was cut/);
    await anew.greeted;
    const again = pair.host.open('echo');
    const answer = all(again);
    again.end('hello again');
    assert.equal((await answer).toString(), 'hello again');
  });

  it('ends with its transport', async () => {
    using pair = await pairOf(echo);
    const stream = pair.host.open('echo');
    const failure = once(stream.resume(), 'error');
    pair.hostEnd.destroy();
    await pair.host.ended;
    assert.match(String((await failure)[0]), /was cut/);
    const late = pair.host.open('echo');
    assert.match(String((await once(late, 'error'))[0]), /was cut/);
  });
});

describe('the decoder of frames', () => {
  const frames = (from: number) =>
    Array.from({ length: 20 }, (_, index) =>
      encodeFrame({ stream: from + index, type: 'data', payload: randomBytes(index * 50) }),
    );
  const greeting = encodeGreeting({ from: 7n, to: 9n });

  it('finds the same in one piece as byte by byte', () => {
    const bytes = Buffer.concat([
      Buffer.from('noise'),
      greeting,
      ...frames(1),
      greeting,
      ...frames(50),
    ]);
    const digest = (found: readonly Received[]) =>
      createHash('sha256')
        .update(
          JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? `${value}` : value)),
        )
        .digest('hex');
    const whole = [...new FrameDecoder().push(bytes)];
    const decoder = new FrameDecoder();
    const single = [...bytes].flatMap((byte) => [...decoder.push(Buffer.from([byte]))]);
    assert.equal(whole.length, 42);
    assert.equal(digest(single), digest(whole));
  });

  it('finds the next greeting whatever came before, and all that follows it', () => {
    for (let seed = 0; seed < 300; seed++) {
      const decoder = new FrameDecoder();
      const random = randomOf(seed);
      for (const _ of decoder.push(damaged(Buffer.concat([greeting, ...frames(1)]), random)));
      const found = [...decoder.push(Buffer.concat([greeting, ...frames(50)]))];
      const at = found.findLastIndex(({ kind }) => kind === 'greeting');
      assert.equal(found.length - at - 1, 20, `seed ${seed}`);
    }
  });
});
