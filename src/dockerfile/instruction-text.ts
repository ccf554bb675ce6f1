/** The words of an instruction: flags, JSON lists, pairs (Dockerfile reference). */

import { parseError, suggestion } from './dockerfile-errors.ts';
import type { SourceRange } from './source-place.ts';

/** `--name` or `--name=value`, quotes kept. */
const FLAG =
  /^--([A-Za-z][A-Za-z0-9-]*)(=((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*))?(?:\s+|$)/;
const WORDS = /(?:\\.|'[^']*'?|"(?:\\.|[^"\\])*"?|[^\s\\'"]|\\$)+/gs;

/** A flag as written. */
export interface Flag {
  readonly name: string;
  /** Undefined for a flag without `=`. */
  readonly value: string | undefined;
}

/** What an instruction's flags may be. */
export interface FlagRules {
  readonly keyword: string;
  readonly known: readonly string[];
  readonly range: SourceRange;
  /** Those that may be given more than once. */
  readonly repeatable?: readonly string[];
  /** Those that need no value. */
  readonly switches?: readonly string[];
}

/** The flags in front of the arguments, and the rest. */
export function takeFlags(
  text: string,
  rules: FlagRules,
): { readonly flags: readonly Flag[]; readonly rest: string } {
  const flags: Flag[] = [];
  let rest = text;
  for (let match = FLAG.exec(rest); match !== null; match = FLAG.exec(rest)) {
    const flag = {
      name: match[1] ?? '',
      value: match[2] === undefined ? undefined : unquote(match[3] ?? ''),
    };
    checkFlag(flag, flags, rules);
    flags.push(flag);
    rest = rest.slice(match[0].length);
  }
  return { flags, rest: /^--\s/.test(rest) ? rest.slice(2).trimStart() : rest };
}

function checkFlag(flag: Flag, before: readonly Flag[], rules: FlagRules): void {
  const { known, range, repeatable = [], switches = [] } = rules;
  const { name } = flag;
  if (!known.includes(name)) {
    throw parseError(range, `unknown flag: --${name}${suggestion(name, known)}`);
  }
  if (flag.value === undefined && !switches.includes(name)) {
    throw parseError(range, `missing a value on flag: --${name}`);
  }
  if (!repeatable.includes(name) && before.some((other) => other.name === name)) {
    throw parseError(range, `duplicate flag specified: ${name}`);
  }
}

/** Takes the quotes around parts of a flag's value away; variables stay. */
function unquote(text: string): string {
  return text.replaceAll(
    /"((?:\\.|[^"\\])*)"|'([^']*)'/gs,
    (_, double?: string, single?: string) =>
      double === undefined ? (single ?? '') : double.replaceAll(/\\(["\\])/g, '$1'),
  );
}

/** The last value of a flag; an empty text for a switch. */
export function flagValue(flags: readonly Flag[], name: string): string | undefined {
  const flag = flags.findLast((one) => one.name === name);
  return flag === undefined ? undefined : (flag.value ?? '');
}

/** All values of a flag. */
export function flagValues(flags: readonly Flag[], name: string): readonly string[] {
  return flags.flatMap((flag) => (flag.name === name ? (flag.value ?? '') : []));
}

/** True for a switch that is set; `invalid-argument` for a value that is no truth value. */
export function flagSwitch(flags: readonly Flag[], name: string, range: SourceRange): boolean {
  const value = flagValue(flags, name);
  if (value === undefined) return false;
  if (value === '' || value === 'true') return true;
  if (value === 'false') return false;
  throw parseError(range, `expecting boolean value for flag ${name}, not: ${value}`);
}

/** The list when `text` is a JSON list of strings, undefined otherwise: then it is meant as plain text. */
export function jsonList(text: string): readonly string[] | undefined {
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
export function quotedWords(text: string): readonly string[] {
  return text.match(WORDS) ?? [];
}

/** `name=value …`, or the old form of one name and the rest of the line (`isOld`). */
export function parsePairs(
  keyword: string,
  text: string,
  range: SourceRange,
): { readonly pairs: readonly (readonly [string, string])[]; readonly isOld: boolean } {
  const words = quotedWords(text);
  const [first = ''] = words;
  if (!first.includes('=')) {
    const [, name = '', value] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
    if (value === undefined) throw parseError(range, `${keyword} must have two arguments`);
    return { pairs: [[name, value]], isOld: true };
  }
  const pairs = words.map((word): readonly [string, string] => {
    const at = word.indexOf('=');
    if (at < 0) {
      throw parseError(
        range,
        `Syntax error - can't find = in "${word}". Must be of the form: name=value`,
      );
    }
    if (at === 0) throw parseError(range, `${keyword} names can not be blank`);
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return { pairs, isOld: false };
}
