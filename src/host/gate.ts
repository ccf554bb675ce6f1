/** A promise that is settled from outside, once. */
export class Gate<T = void> {
  readonly promise: Promise<T>;
  #settle: (value: T) => void = () => undefined;

  constructor() {
    this.promise = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Opens the gate for all who wait and will wait. Later calls do nothing. */
  resolve(value: T): void {
    this.#settle(value);
  }
}
