/** The words of a Dockerfile instruction: quotes, escapes, JSON lists and variables (Dockerfile reference). */
import { malformedChange } from '../image-errors.ts';

/** The value of a variable, undefined when it is not set. */
export type Lookup = (name: string) => string | undefined;

/** A stretch without white space; quoted parts may have it. */
const WORDS = /(?:\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|[^\s\\'"]|\\$)+/gs;
/** Parts of a word: in single quotes, in double quotes, escaped, a variable, anything else. */
const PARTS = /'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)|\$(\w+|\{[^}]*\})|([^\\'"$]+|.)/gs;
/** Within double quotes: an escape of what is special there, or a variable. */
const SPECIAL = /\\(["$\\])|\$(\w+|\{[^}]*\})/gs;
const BRACED = /^\{(\w+)(?::([-+])(.*))?\}$/s;

/** The list when `text` is a JSON list of strings, undefined otherwise: then it is meant as plain text. */
export function parseJsonList(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    const isList = Array.isArray(list) && list.every((item) => typeof item === 'string');
    return isList ? (list as string[]) : undefined;
  } catch {
    return undefined;
  }
}

/** Splits at white space outside of quotes. Quotes and escapes stay in the words. */
export function splitWords(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

/** Takes quotes and escapes off a word and puts the values of variables in. */
export function expandWord(word: string, lookup: Lookup): string {
  return word.replaceAll(PARTS, (...match: (string | undefined)[]) => {
    const [, single, double, escaped, variable, plain] = match;
    if (variable !== undefined) return substitute(variable, lookup);
    if (double !== undefined) return expandQuoted(double, lookup);
    if (plain === '"' || plain === "'") {
      throw malformedChange(`failed to process "${word}": unexpected end of statement`);
    }
    return single ?? escaped ?? (plain === '\\' ? '' : (plain ?? ''));
  });
}

function expandQuoted(text: string, lookup: Lookup): string {
  return text.replaceAll(SPECIAL, (_, escaped?: string, variable?: string) =>
    variable === undefined ? (escaped ?? '') : substitute(variable, lookup),
  );
}

/** `NAME`, `{NAME}`, `{NAME:-word}` or `{NAME:+word}`. */
function substitute(variable: string, lookup: Lookup): string {
  if (!variable.startsWith('{')) return lookup(variable) ?? '';
  const [, name, operator, word = ''] = BRACED.exec(variable) ?? [];
  if (name === undefined) {
    throw malformedChange(`failed to process "$${variable}": unsupported modifier in substitution`);
  }
  const value = lookup(name) ?? '';
  if (operator === '-') return value === '' ? expandWord(word, lookup) : value;
  if (operator === '+') return value === '' ? '' : expandWord(word, lookup);
  return value;
}

/** `name=value …`, or the old form of one name and the rest of the line. */
export function parsePairs(
  instruction: string,
  text: string,
  lookup: Lookup,
): readonly (readonly [name: string, value: string])[] {
  const words = splitWords(text);
  const [first = ''] = words;
  if (first === '') throw malformedChange(`${instruction} requires at least one argument`);
  if (!first.includes('=')) {
    const rest = text.slice(first.length).trim();
    if (rest === '') throw malformedChange(`${instruction} must have two arguments`);
    return [[expandWord(first, lookup), expandWord(rest, lookup)]];
  }
  return words.map((word) => {
    const at = word.indexOf('=');
    if (at < 0) {
      throw malformedChange(
        `Syntax error - can't find = in "${word}". Must be of the form: name=value`,
      );
    }
    const name = expandWord(word.slice(0, at), lookup);
    if (name === '') throw malformedChange(`${instruction} names can not be blank`);
    return [name, expandWord(word.slice(at + 1), lookup)];
  });
}
