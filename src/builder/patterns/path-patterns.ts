/** Lists of patterns that leave paths out, as in .dockerignore: later ones win, `!` takes back. */
import { posix } from 'node:path';
import { EngineError } from '../../shared/errors.ts';
import { globExpression } from './glob.ts';

interface Rule {
  readonly expression: RegExp;
  readonly takesBack: boolean;
}

/** The lines of a .dockerignore file that are patterns, in the form that `PathPatterns` takes. */
export function ignoreLines(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export class PathPatterns {
  readonly #rules: readonly Rule[];
  /** False: what is below a path that is left out is left out, too. */
  readonly takesBack: boolean;

  /** `invalid-argument` for a malformed pattern. */
  constructor(patterns: readonly string[]) {
    this.#rules = patterns.flatMap((pattern) => toRule(pattern.trim()));
    this.takesBack = this.#rules.some((rule) => rule.takesBack);
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }

  /** Whether a path (relative, without `./`) is left out, by itself or by one of its directories. */
  leavesOut(path: string): boolean {
    let isOut = false;
    for (const { expression, takesBack } of this.#rules) {
      if (takesBack !== isOut) continue;
      if (fitsPathOrParent(expression, path)) isOut = !takesBack;
    }
    return isOut;
  }
}

function fitsPathOrParent(expression: RegExp, path: string): boolean {
  for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) {
    if (expression.test(path.slice(0, at))) return true;
  }
  return false;
}

function toRule(pattern: string): readonly Rule[] {
  const takesBack = pattern.startsWith('!');
  const text = takesBack ? pattern.slice(1).trim() : pattern;
  if (text === '') {
    if (!takesBack) return [];
    throw new EngineError('invalid-argument', 'illegal exclusion pattern: "!"');
  }
  // Dots are resolved as in a path; a slash at either end means nothing.
  const clean = posix
    .normalize(text)
    .replace(/(?<=.)\/$/, '')
    .replace(/^\//, '');
  if (clean === '' || clean === '.') return [];
  const expression = globExpression(clean, { doubleStar: true });
  if (expression === undefined) {
    throw new EngineError('invalid-argument', `syntax error in pattern: ${pattern}`);
  }
  return [{ expression, takesBack }];
}
