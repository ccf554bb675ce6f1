/** Many streams over one byte channel (virtio-serial, vsock, standard input and output): the same on both sides. */
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { channelCut, channelMisused, streamRefused } from './channel-errors.ts';
import { ChannelStream, type StreamLine } from './channel-stream.ts';
import {
  encodeFrame,
  encodeGreeting,
  type Frame,
  FrameDecoder,
  type Greeting,
} from './frame-codec.ts';

export interface ChannelOptions {
  /** The channel's bytes, in both directions. The channel destroys it when it ends. */
  readonly transport: Duplex;
  /** Sides number their streams differently. */
  readonly side: 'host' | 'guest';
  /** The other side opened a stream to `target`. */
  readonly onStream: (target: string, stream: Duplex) => void;
  /** Called each time the two sides have found each other, after what was open before was cut. */
  readonly onGreeted?: () => void;
}

const GREETING_INTERVAL_MS = 500;
/** More than any client opens; a side that goes beyond is out of its mind. */
const MAX_STREAMS = 8192;

export class Channel {
  /** Settles when the transport has ended; with its error, if it had one. */
  readonly ended: Promise<unknown>;
  readonly #options: ChannelOptions;
  readonly #decoder = new FrameDecoder();
  readonly #streams = new Map<number, ChannelStream>();
  /** Those that have something to send and may, in turn. */
  readonly #queue = new Set<ChannelStream>();
  readonly #line: StreamLine;
  readonly #greeter: NodeJS.Timeout;
  #own = newNumber();
  #other = 0n;
  #isGreeted = false;
  #nextId: number;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#nextId = options.side === 'host' ? 1 : 2;
    this.#line = {
      send: (frame) => this.#send(frame),
      enqueue: (stream) => {
        this.#queue.add(stream);
        this.#pump();
      },
      forget: (stream) => {
        this.#queue.delete(stream);
        if (this.#streams.get(stream.id) === stream) this.#streams.delete(stream.id);
      },
    };
    const { transport } = options;
    transport.on('data', (chunk: Buffer) => this.#receive(chunk));
    transport.on('drain', () => this.#pump());
    this.ended = new Promise((resolve) => {
      transport.once('error', resolve);
      transport.once('end', () => transport.destroy());
      transport.once('close', () => resolve(undefined));
    }).finally(() => this.#stop());
    this.#greet();
    this.#greeter = setInterval(() => {
      if (!this.#isGreeted) this.#greet();
    }, GREETING_INTERVAL_MS);
  }

  /** True while the other side is there, as far as is known. */
  get isGreeted(): boolean {
    return this.#isGreeted;
  }

  /** Opens a stream. Whether the other side takes it shows in what it does: a refusal destroys the stream. */
  open(target: string): Duplex {
    const stream = new ChannelStream(this.#nextId, this.#line);
    this.#nextId += 2;
    if (!this.#isGreeted) {
      process.nextTick(() => stream.cut(channelCut()));
      return stream;
    }
    this.#streams.set(stream.id, stream);
    this.#send({ stream: stream.id, type: 'open', payload: Buffer.from(target) });
    return stream;
  }

  /** Ends the channel and all of its streams. */
  close(): void {
    this.#options.transport.destroy();
  }

  #receive(chunk: Buffer): void {
    for (const received of this.#decoder.push(chunk)) {
      if (received.kind === 'frame') this.#receiveFrame(received.frame);
      else if (received.kind === 'greeting') this.#receiveGreeting(received.greeting);
      else this.#restart();
    }
  }

  #receiveGreeting({ from, to }: Greeting): void {
    const isKnown = this.#isGreeted && this.#other === from;
    // An answer to an earlier life of ours, still under way.
    if (!isKnown && to !== 0n && to !== this.#own) return;
    if (!isKnown) {
      this.#cutAll(channelCut());
      this.#other = from;
      this.#isGreeted = true;
    }
    if (to !== this.#own) this.#greet();
    if (!isKnown) this.#options.onGreeted?.();
  }

  #receiveFrame(frame: Frame): void {
    if (!this.#isGreeted) return;
    const stream = this.#streams.get(frame.stream);
    if (frame.type === 'open') this.#receiveOpen(frame, stream);
    else if (frame.type === 'reset') stream?.cut(streamRefused(frame.payload.toString()));
    // Frames of a stream that we have given up may still be under way.
    else stream?.receive(frame);
  }

  #receiveOpen({ stream: id, payload }: Frame, present: ChannelStream | undefined): void {
    const isOurs = (id & 1) === (this.#options.side === 'host' ? 1 : 0);
    if (present !== undefined || isOurs || this.#streams.size >= MAX_STREAMS) {
      const { message } = channelMisused(`stream ${id} cannot be opened`);
      this.#send({ stream: id, type: 'reset', payload: Buffer.from(message) });
      return;
    }
    const stream = new ChannelStream(id, this.#line);
    this.#streams.set(id, stream);
    this.#options.onStream(payload.toString(), stream);
  }

  /** What came makes no sense: begin anew, under a new number, so that the other side does too. */
  #restart(): void {
    this.#own = newNumber();
    this.#other = 0n;
    this.#isGreeted = false;
    this.#cutAll(channelCut());
    this.#greet();
  }

  #greet(): void {
    this.#options.transport.write(encodeGreeting({ from: this.#own, to: this.#other }));
  }

  #send(frame: Frame): void {
    if (this.#isGreeted && this.#options.transport.writable) {
      this.#options.transport.write(encodeFrame(frame));
    }
  }

  /** One frame of each stream in turn, as long as the transport takes them. */
  #pump(): void {
    const { transport } = this.#options;
    while (transport.writable && !transport.writableNeedDrain) {
      const [stream] = this.#queue;
      if (stream === undefined) return;
      this.#queue.delete(stream);
      if (!stream.canSend) continue;
      stream.sendPiece();
      if (stream.canSend) this.#queue.add(stream);
    }
  }

  #cutAll(error: Error): void {
    for (const stream of [...this.#streams.values()]) stream.cut(error);
  }

  #stop(): void {
    clearInterval(this.#greeter);
    this.#isGreeted = false;
    this.#cutAll(channelCut());
  }
}

/** Never 0, which stands for unknown. */
function newNumber(): bigint {
  return randomBytes(8).readBigUInt64LE() || 1n;
}
