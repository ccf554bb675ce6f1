/** Places in a Dockerfile, and what is said about them. */

/** Lines of the Dockerfile, counted from 1. */
export interface SourceRange {
  readonly startLine: number;
  readonly endLine: number;
}

/** A lint warning. */
export interface BuildWarning {
  /** Docker's name of the rule, `FromAsCasing`. */
  readonly rule: string;
  readonly description: string;
  /** Page about the rule. */
  readonly url: string;
  /** What is wrong here, without the rule's name. */
  readonly detail: string;
  readonly range: SourceRange;
}
