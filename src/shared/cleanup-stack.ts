/** Undo steps of a sequence of acquisitions. */

type Undo = () => unknown;

/**
 * Collects an undo step right after each acquisition and runs them in reverse when the scope is left,
 * unless `release` was called. Steps never make the scope throw: their failures go to `report`.
 *
 * Use: `await using undo = new CleanupStack(report)`.
 */
export class CleanupStack implements AsyncDisposable {
  #steps: Undo[] = [];
  readonly #report: (error: unknown) => void;

  constructor(report: (error: unknown) => void) {
    this.#report = report;
  }

  /** Registers what undoes the step just taken. */
  defer(undo: Undo): void {
    this.#steps.push(undo);
  }

  /** The sequence succeeded: nothing will be undone. */
  release(): void {
    this.#steps = [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const steps = this.#steps.reverse();
    this.#steps = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        this.#report(error);
      }
    }
  }
}
