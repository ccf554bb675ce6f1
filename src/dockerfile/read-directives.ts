/** The parser directives at the top of a Dockerfile (Dockerfile reference, "Parser directives"). */
import { parseError } from './dockerfile-errors.ts';
import type { Directives } from './source-instruction.ts';

const DIRECTIVE = /^#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$/;
const NAMES = ['syntax', 'escape', 'check'];

/** Reads directives up to the first line that is none. `invalid-argument` for a repeated or impossible one. */
export function readDirectives(lines: readonly string[]): Directives {
  const found = new Map<string, string>();
  // A first line for the shell may come before them.
  const start = lines[0]?.startsWith('#!') === true ? 1 : 0;
  for (const [index, line] of lines.slice(start).entries()) {
    const [, name = '', value = ''] = DIRECTIVE.exec(line) ?? [];
    const key = name.toLowerCase();
    if (!NAMES.includes(key)) break;
    const range = { startLine: start + index + 1, endLine: start + index + 1 };
    if (found.has(key)) throw parseError(range, `only one ${key} parser directive can be used`);
    if (key === 'escape' && value !== '\\' && value !== '`') {
      throw parseError(range, `invalid ESCAPE '${value}' does not match ${'` or \\'}`);
    }
    found.set(key, value);
  }
  return {
    escapeChar: found.get('escape') === '`' ? '`' : '\\',
    syntax: found.get('syntax'),
    check: found.get('check'),
  };
}
