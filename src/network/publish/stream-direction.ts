/** One direction of a forwarded TCP connection. */

import { closeSync } from 'node:fs';
import { duplicateFd } from '../../sys/libc.ts';
import { giveMessage, giveRest, MESSAGE_BYTES, takeMessage } from '../../sys/splice/message.ts';
import type { PipePool, SplicePipe } from '../../sys/splice/splice-pipe.ts';
import { finishSending } from '../../sys/splice/tcp-socket.ts';
import { type DescriptorWatch, watchDescriptor } from '../../sys/watch-descriptor.ts';

/** Steps of one turn; after them other connections get theirs. */
const STEPS_PER_TURN = 8;

/** A socket with a second descriptor: a descriptor can be watched for one thing only. */
export class WatchedSocket {
  readonly fd: number;
  #writeFd: number | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The descriptor to watch for room to write. */
  get writeFd(): number {
    this.#writeFd ??= duplicateFd(this.fd);
    return this.#writeFd;
  }

  close(): void {
    if (this.#writeFd !== undefined) closeSync(this.#writeFd);
    closeSync(this.fd);
  }
}

/** What a direction connects and whom it tells. */
export interface DirectionOptions {
  readonly from: WatchedSocket;
  readonly to: WatchedSocket;
  readonly pipes: PipePool;
  /** The stream ended, everything was given on and the end as well. */
  readonly onEnd: () => void;
  /** The sender or the receiver is gone. */
  readonly onFailure: (side: 'from' | 'to') => void;
}

type Wait = 'readable' | 'writable';
type Failure = { readonly failed: 'from' | 'to' };

/** Carries bytes until the end of the stream. Takes no more than the receiver accepts. */
export class StreamDirection {
  readonly #options: DirectionOptions;
  #pipe: SplicePipe | undefined;
  #watch: DescriptorWatch | undefined;
  #waitingFor: Wait | undefined;
  #ended = false;
  /** Much comes at once. Else requests and answers come one at a time: after one there is nothing more to be had. */
  #isStream = false;
  /** The part of a message that the receiver does not accept yet. */
  #rest: Uint8Array | undefined;
  /** The socket that the step at hand uses. */
  #busyWith: 'from' | 'to' = 'from';

  constructor(options: DirectionOptions) {
    this.#options = options;
  }

  /** Moves what can be moved now and then waits for more. */
  pump(): void {
    const outcome = this.#tryMove();
    if (outcome === 'readable' || outcome === 'writable') {
      this.#waitFor(outcome);
      return;
    }
    this.stop();
    if (outcome !== 'end') {
      this.#options.onFailure(outcome.failed);
      return;
    }
    finishSending(this.#options.to.fd);
    this.#options.onEnd();
  }

  /** Lets go of watch and pipe. Idempotent. */
  stop(): void {
    this.#watch?.stop();
    this.#watch = undefined;
    this.#waitingFor = undefined;
    this.#releasePipe();
  }

  #tryMove(): Wait | 'end' | Failure {
    try {
      return this.#move();
    } catch {
      // The errno says no more than "gone".
      return { failed: this.#busyWith };
    }
  }

  #move(): Wait | 'end' {
    const outcome = this.#pipe === undefined && !this.#isStream ? this.#message() : 'again';
    return outcome === 'again' ? this.#stream() : outcome;
  }

  #message(): Wait | 'end' | 'again' {
    const { from, to } = this.#options;
    if (!this.#giveRest()) return 'writable';
    this.#busyWith = 'from';
    const taken = takeMessage(from.fd);
    if (taken === undefined) return 'readable';
    if (taken === 0) return 'end';
    this.#busyWith = 'to';
    this.#rest = giveMessage(to.fd, taken);
    if (this.#rest !== undefined) return 'writable';
    this.#isStream = taken === MESSAGE_BYTES;
    return this.#isStream ? 'again' : 'readable';
  }

  /** False when the receiver still does not accept all of it. */
  #giveRest(): boolean {
    this.#busyWith = 'to';
    if (this.#rest !== undefined) this.#rest = giveRest(this.#options.to.fd, this.#rest);
    return this.#rest === undefined;
  }

  #stream(): Wait | 'end' {
    this.#pipe ??= this.#options.pipes.take();
    for (let step = 0; step < STEPS_PER_TURN; step++) {
      const outcome = this.#step(this.#pipe);
      if (outcome !== 'again') return outcome;
    }
    return this.#pipe.length > 0 ? 'writable' : 'readable';
  }

  #step(pipe: SplicePipe): Wait | 'end' | 'again' {
    const { from, to } = this.#options;
    this.#busyWith = 'from';
    const taken = this.#ended ? 0 : pipe.fill(from.fd);
    if (taken === 0) this.#ended = true;
    this.#busyWith = 'to';
    if (pipe.length > 0 && pipe.drain(to.fd) === undefined) return 'writable';
    if (pipe.length > 0) return 'again';
    if (this.#ended) return 'end';
    if (taken !== undefined) this.#isStream = taken >= MESSAGE_BYTES;
    return taken !== undefined && this.#isStream ? 'again' : 'readable';
  }

  #waitFor(wait: Wait): void {
    if (wait === 'readable') this.#releasePipe();
    if (this.#waitingFor === wait) return;
    this.#watch?.stop();
    const { from, to } = this.#options;
    const fd = wait === 'readable' ? from.fd : to.writeFd;
    this.#watch = watchDescriptor(fd, wait, () => this.pump());
    this.#waitingFor = wait;
  }

  #releasePipe(): void {
    if (this.#pipe !== undefined) this.#options.pipes.give(this.#pipe);
    this.#pipe = undefined;
  }
}
