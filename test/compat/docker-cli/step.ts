/** What a row of the tables of docker commands is made of. */

/** One command line and what it must do. */
export interface Step {
  readonly words: readonly string[];
  readonly stdin?: string;
  /** On standard output, without the white space around it. */
  readonly prints?: RegExp;
  /** On standard error. */
  readonly complains?: RegExp;
  /** Exit status; 0 when absent. */
  readonly exits?: number;
}

/** Commands that belong together, in order. */
export interface Case {
  readonly title: string;
  readonly steps: readonly Step[];
}

/** Where a table is run. */
export interface Surroundings {
  readonly image: string;
  /** A directory for files. */
  readonly dir: string;
}

type Expected = Omit<Step, 'words'>;

/** A command line, its words apart by spaces; `more` follows as it is. */
export function step(line: string, expected: Expected = {}, ...more: readonly string[]): Step {
  return { words: [...line.split(' '), ...more], ...expected };
}
