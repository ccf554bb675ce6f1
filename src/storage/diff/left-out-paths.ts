/** Paths that are no part of a comparison: places where something else is mounted. */

export class LeftOutPaths {
  readonly #paths: ReadonlySet<string>;
  readonly #above: ReadonlySet<string>;

  /** Absolute, normalised paths; what is below them is left out as well. */
  constructor(paths: readonly string[]) {
    this.#paths = new Set(paths);
    this.#above = new Set(paths.flatMap(directoriesAbove));
  }

  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** True when one of the paths lies below. */
  isAbove(path: string): boolean {
    return this.#above.has(path);
  }
}

function directoriesAbove(path: string): readonly string[] {
  const parts = path.split('/').slice(1, -1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}
