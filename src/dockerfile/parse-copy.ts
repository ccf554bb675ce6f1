/** COPY and ADD. */

import { parseError } from './dockerfile-errors.ts';
import type { CopyInstruction } from './instruction.ts';
import {
  flagSwitch,
  flagValue,
  flagValues,
  jsonList,
  quotedWords,
  takeFlags,
} from './instruction-text.ts';
import type { SourceInstruction } from './source-instruction.ts';
import type { SourceRange } from './source-place.ts';

const COMMON = ['chown', 'chmod', 'link', 'exclude'];
const KNOWN = {
  COPY: [...COMMON, 'from', 'parents'],
  ADD: [...COMMON, 'checksum', 'keep-git-dir', 'unpack'],
};
const SWITCHES = ['link', 'parents', 'keep-git-dir', 'unpack'];

/** `invalid-argument` with BuildKit's text when a flag or the destination is wrong. */
export function parseCopy(kind: 'COPY' | 'ADD', source: SourceInstruction): CopyInstruction {
  const { range, heredocs } = source;
  const rules = {
    keyword: kind,
    known: KNOWN[kind],
    switches: SWITCHES,
    repeatable: ['exclude'],
    range,
  };
  const { flags, rest } = takeFlags(source.text, rules);
  const words = jsonList(rest) ?? quotedWords(rest);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) throw tooFew(kind, words.length, range);
  const marks = heredocs.map(({ mark }) => mark);
  if (marks.includes(destination)) {
    throw parseError(range, `${kind} cannot accept a heredoc as a destination`);
  }
  return {
    kind,
    sources: words.slice(0, -1).filter((word) => !marks.includes(word)),
    destination,
    heredocs,
    from: flagValue(flags, 'from'),
    chown: flagValue(flags, 'chown'),
    chmod: flagValue(flags, 'chmod'),
    link: flagSwitch(flags, 'link', range),
    parents: flagSwitch(flags, 'parents', range),
    excludes: flagValues(flags, 'exclude'),
    checksum: flagValue(flags, 'checksum'),
    keepGitDir: flagSwitch(flags, 'keep-git-dir', range),
    unpack:
      flagValue(flags, 'unpack') === undefined ? undefined : flagSwitch(flags, 'unpack', range),
  };
}

function tooFew(kind: string, count: number, range: SourceRange) {
  if (count === 0) return parseError(range, `${kind} requires at least two arguments`);
  return parseError(
    range,
    `${kind} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}
