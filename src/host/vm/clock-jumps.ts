/** Notices that this computer slept or that its clock was set: the guest's clock knows nothing of either. */

/** Two clocks: the one that can jump, and one that stands still while the computer sleeps. Milliseconds. */
export interface TwoClocks {
  readonly wall: () => number;
  readonly steady: () => number;
}

const LOOK_INTERVAL_MS = 500;
/** Less is the difference between two calls on a busy computer, or the clock being slewed. */
const LEAST_JUMP_MS = 300;

const ownClocks: TwoClocks = { wall: () => Date.now(), steady: () => performance.now() };

/** Calls `onJump` within a moment of each jump, until it is closed. Does not keep the process alive. */
export class ClockJumps {
  readonly #clocks: TwoClocks;
  readonly #onJump: () => void;
  readonly #timer: NodeJS.Timeout;
  #offset: number;

  constructor(onJump: () => void, clocks: TwoClocks = ownClocks) {
    this.#clocks = clocks;
    this.#onJump = onJump;
    this.#offset = this.#readOffset();
    this.#timer = setInterval(() => this.look(), LOOK_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Looks now. */
  look(): void {
    const offset = this.#readOffset();
    const hasJumped = Math.abs(offset - this.#offset) >= LEAST_JUMP_MS;
    this.#offset = offset;
    if (hasJumped) this.#onJump();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #readOffset(): number {
    return this.#clocks.wall() - this.#clocks.steady();
  }
}
