/** `${name…}`: what may follow the name of a variable in braces. */
import { EngineError } from '../shared/errors.ts';

interface Modified {
  readonly name: string;
  readonly value: string | undefined;
  /** Everything between the name and the closing brace. */
  readonly modifier: string;
}

/** The value of a variable with a modifier; `expand` expands the words inside of it. */
export function expandModified(variable: Modified, expand: (word: string) => string): string {
  const { value = '' } = variable;
  const { colon, operator, word } = parseModifier(variable);
  if ('-+?'.includes(operator)) return byPresence(variable, { colon, operator, word }, expand);
  if (!operator.startsWith('/')) return trim(value, operator, expand(word));
  return replace(value, splitReplacement(word), { expand, all: operator === '//' });
}

interface Modifier {
  readonly colon: boolean;
  readonly operator: string;
  readonly word: string;
}

function parseModifier({ name, modifier }: Modified): Modifier {
  const [, colon = '', operator = '', word = ''] =
    /^(:?)(##|#|%%|%|\/\/|\/|[-+?])(.*)$/s.exec(modifier) ?? [];
  if (operator === '' || (colon === ':' && !'-+?'.includes(operator))) {
    throw broken(name, modifier, `unsupported modifier (${modifier.slice(0, 2)}) in substitution`);
  }
  return { colon: colon === ':', operator, word };
}

/** `-`, `+` and `?`, with a colon where an empty value counts as none. */
function byPresence(
  { name, value, modifier }: Modified,
  { colon, operator, word }: Modifier,
  expand: (word: string) => string,
): string {
  const isMissing = value === undefined || (colon && value === '');
  if (operator === '+') return isMissing ? '' : expand(word);
  if (!isMissing) return value;
  if (operator === '-') return expand(word);
  throw broken(name, modifier, `${name}: ${expand(word) || 'not set'}`);
}

function broken(name: string, modifier: string, problem: string): EngineError {
  const text = `failed to process "\${${name}${modifier}}": ${problem}`;
  return new EngineError('invalid-argument', text);
}

/** The shortest or longest part at the beginning or the end that fits the pattern goes. */
function trim(value: string, operator: string, pattern: string): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  const tries = operator.length === 2 ? lengths.toReversed() : lengths;
  const glob = new RegExp(`^(?:${globSource(pattern)})$`, 's');
  const atEnd = operator.startsWith('%');
  for (const length of tries) {
    const part = atEnd ? value.slice(value.length - length) : value.slice(0, length);
    if (!glob.test(part)) continue;
    return atEnd ? value.slice(0, value.length - length) : value.slice(length);
  }
  return value;
}

/** Pattern and replacement of `/pattern/replacement`; a slash may be escaped. */
function splitReplacement(word: string): readonly [string, string] {
  const at = word.search(/(?<!\\)\//);
  const pattern = at < 0 ? word : word.slice(0, at);
  return [pattern.replaceAll('\\/', '/'), at < 0 ? '' : word.slice(at + 1)];
}

function replace(
  value: string,
  [pattern, replacement]: readonly [string, string],
  how: { readonly expand: (word: string) => string; readonly all: boolean },
): string {
  const glob = new RegExp(globSource(how.expand(pattern)), how.all ? 'gs' : 's');
  const text = how.expand(replacement);
  return value.replace(glob, () => text);
}

/** A shell pattern as the source of a regular expression: `*`, `?`, and `\` before what is meant literally. */
function globSource(pattern: string): string {
  return pattern.replaceAll(/\\.|[*?]|[.+^${}()|[\]\\/]/gs, (found) => {
    if (found.length === 2) return found.slice(1).replace(/\W/, '\\$&');
    if (found === '*') return '.*';
    return found === '?' ? '.' : `\\${found}`;
  });
}
