/** What a build check is. */

import type { Dockerfile } from './instruction.ts';
import type { BuildWarning, SourceRange } from './source-place.ts';

/** A finding: where, and what is wrong there. */
export interface Finding {
  readonly range: SourceRange;
  readonly detail: string;
}

export interface LintRule {
  /** Docker's name. */
  readonly name: string;
  readonly description: string;
  /** It counts only when it is asked for. */
  readonly isExperimental?: true;
  /** `isIgnored`: whether a path of the context is left out by .dockerignore. */
  find(dockerfile: Dockerfile, isIgnored: (path: string) => boolean): readonly Finding[];
}

/** Page of each rule in Docker's documentation. */
const PAGES = 'https://docs.docker.com/go/dockerfile/rule/';

export function toWarning({ name, description }: LintRule, finding: Finding): BuildWarning {
  const slug = name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
  return { rule: name, description, url: `${PAGES}${slug}/`, ...finding };
}
