/** A Dockerfile taken apart into instructions, before anything is known of what they mean. */
import type { SourceRange } from './source-place.ts';

/** Lines between `<<NAME` and `NAME`. */
export interface Heredoc {
  readonly name: string;
  /** With the newline of its last line. */
  readonly content: string;
  /** False when the name was quoted: variables stay as they are. */
  readonly expand: boolean;
  /** As it stands in the instruction, for the shell: `<<-EOF`. */
  readonly mark: string;
  readonly stripsTabs: boolean;
}

/** One instruction with continued lines joined. */
export interface SourceInstruction {
  /** As written, `run` or `RUN`. */
  readonly keyword: string;
  /** What follows the keyword, without white space around it. */
  readonly text: string;
  readonly heredocs: readonly Heredoc[];
  readonly range: SourceRange;
  /** Comment lines right before it, without `#`. */
  readonly comments: readonly string[];
  /** An empty line stood among its continued ones. */
  readonly hasEmptyContinuation: boolean;
}

/** Settings in the first comments of a Dockerfile. */
export interface Directives {
  readonly escapeChar: '\\' | '`';
  readonly syntax: string | undefined;
  readonly check: string | undefined;
}

/** The whole file. */
export interface SourceFile {
  readonly directives: Directives;
  readonly instructions: readonly SourceInstruction[];
}
