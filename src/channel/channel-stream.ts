/** One stream of a channel: its two directions end by themselves, and neither is faster than its reader. */
import { Duplex } from 'node:stream';
import { channelMisused } from './channel-errors.ts';
import { type Frame, MAX_PAYLOAD_BYTES } from './frame-codec.ts';

/** Bytes that may be under way in one direction before the reader has taken some. */
export const WINDOW_BYTES = 512 * 1024;
/** Credit is returned in pieces that are worth a frame. */
const CREDIT_STEP_BYTES = WINDOW_BYTES / 4;

/** What a stream needs of its channel. */
export interface StreamLine {
  /** Sends at once; small frames only. */
  send(frame: Frame): void;
  /** The stream has something to send and may. */
  enqueue(stream: ChannelStream): void;
  /** The stream has ended in both directions, or was destroyed. */
  forget(stream: ChannelStream): void;
}

const NOTHING = Buffer.alloc(0);

export class ChannelStream extends Duplex {
  readonly id: number;
  readonly #line: StreamLine;
  #credit = WINDOW_BYTES;
  #outgoing: Buffer = NOTHING;
  #written: ((error?: Error | null) => void) | undefined;
  readonly #incoming: Buffer[] = [];
  /** Received and not yet taken by the reader. */
  #held = 0;
  #taken = 0;
  #wantsMore = false;
  #hasEnded = false;
  /** The other side knows nothing (any more) of this stream. */
  #isCut = false;

  constructor(id: number, line: StreamLine) {
    super({ allowHalfOpen: true, autoDestroy: true, emitClose: true });
    this.id = id;
    this.#line = line;
  }

  /** True while there is something that may be sent. */
  get canSend(): boolean {
    return this.#outgoing.length > 0 && this.#credit > 0 && !this.destroyed;
  }

  /** Sends the next piece, as much as a frame holds and the credit allows. */
  sendPiece(): void {
    const size = Math.min(this.#outgoing.length, this.#credit, MAX_PAYLOAD_BYTES);
    const piece = this.#outgoing.subarray(0, size);
    this.#outgoing = this.#outgoing.subarray(size);
    this.#credit -= size;
    this.#line.send({ stream: this.id, type: 'data', payload: piece });
    // Only now: what is told of it may end the stream, which must not overtake the piece.
    if (this.#outgoing.length === 0) this.#settleWrite();
  }

  /** The other side's frames for this stream. */
  receive({ type, payload }: Frame): void {
    if (type === 'data') this.#receiveData(payload);
    else if (type === 'credit' && payload.length === 4) {
      this.#credit += payload.readUInt32LE(0);
      if (this.canSend) this.#line.enqueue(this);
    } else if (type === 'end') {
      this.#hasEnded = true;
      this.#feed();
    }
  }

  /** Ends the stream without telling the other side, which knows or is gone. */
  cut(error: Error): void {
    this.#isCut = true;
    this.destroy(error);
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    this.#outgoing = chunk;
    this.#written = done;
    if (chunk.length === 0) this.#settleWrite();
    else if (this.canSend) this.#line.enqueue(this);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#line.send({ stream: this.id, type: 'end', payload: NOTHING });
    done();
  }

  override _read(): void {
    this.#wantsMore = true;
    this.#feed();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const isOver = this.writableFinished && this.readableEnded;
    if (!(this.#isCut || isOver)) {
      const payload = Buffer.from(error?.message ?? '').subarray(0, MAX_PAYLOAD_BYTES);
      this.#line.send({ stream: this.id, type: 'reset', payload });
    }
    this.#line.forget(this);
    this.#settleWrite(error);
    done(error);
  }

  #receiveData(payload: Buffer): void {
    this.#held += payload.length;
    if (this.#held > WINDOW_BYTES || this.#hasEnded) {
      this.destroy(channelMisused(`stream ${this.id} sends more than it may`));
      return;
    }
    this.#incoming.push(payload);
    this.#feed();
  }

  /** Hands on what has come, as long as the reader takes it. */
  #feed(): void {
    while (this.#wantsMore) {
      const next = this.#incoming.shift();
      if (next === undefined) break;
      this.#held -= next.length;
      this.#taken += next.length;
      this.#wantsMore = this.push(next);
    }
    if (this.#taken >= CREDIT_STEP_BYTES && !this.destroyed) this.#returnCredit();
    if (this.#hasEnded && this.#incoming.length === 0 && this.#wantsMore) {
      this.#wantsMore = false;
      this.push(null);
    }
  }

  #returnCredit(): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32LE(this.#taken);
    this.#taken = 0;
    this.#line.send({ stream: this.id, type: 'credit', payload });
  }

  #settleWrite(error: Error | null = null): void {
    const written = this.#written;
    this.#written = undefined;
    written?.(error);
  }
}
