/** Mistakes in Dockerfiles, with the place where they are. Texts are BuildKit's. */
import { EngineError, findEngineError, messageOf } from '../shared/errors.ts';
import { nearestWord } from '../shared/nearest-word.ts';
import type { SourceRange } from './source-place.ts';

/** A mistake that parsing found. */
export const parseError = (range: SourceRange, problem: string) =>
  new EngineError(
    'invalid-argument',
    `dockerfile parse error on line ${range.startLine}: ${problem}`,
    { details: placeOf(range) },
  );

/** A mistake that shows only when the Dockerfile is carried out. */
export const buildError = (range: SourceRange, problem: string) =>
  new EngineError('invalid-argument', problem, { details: placeOf(range) });

/** The same error, with the place where it happened unless it has one already. */
export function placed(error: unknown, range: SourceRange): EngineError {
  const inner = findEngineError(error);
  if (inner?.details['startLine'] !== undefined) return inner;
  return new EngineError(inner?.kind ?? 'internal', messageOf(error), {
    cause: error,
    details: { ...inner?.details, ...placeOf(range) },
  });
}

/** Where the error happened, if it happened in the Dockerfile. */
export function placeOfError(error: unknown): SourceRange | undefined {
  const { startLine, endLine } = findEngineError(error)?.details ?? {};
  if (startLine === undefined || endLine === undefined) return undefined;
  return { startLine: Number(startLine), endLine: Number(endLine) };
}

export const emptyDockerfile = () =>
  new EngineError('invalid-argument', 'the Dockerfile cannot be empty');

export const noInstructions = () =>
  new EngineError(
    'invalid-argument',
    'dockerfile parse error on line 1: file with no instructions',
    { details: placeOf({ startLine: 1, endLine: 1 }) },
  );

/** ` (did you mean x?)` when one of the known words is close. */
export function suggestion(word: string, known: Iterable<string>): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined || nearest === word ? '' : ` (did you mean ${nearest}?)`;
}

function placeOf({ startLine, endLine }: SourceRange) {
  return { startLine: String(startLine), endLine: String(endLine) };
}

/** Lines of context in all that are shown around the marked ones. */
const CONTEXT_LINES = 4;

/** The lines around a mistake with `>>>` before those that have it, as BuildKit's clients print them. */
export function markedExcerpt(
  source: { readonly name: string; readonly text: string },
  range: SourceRange,
): string {
  const lines = source.text.split('\n');
  let first = range.startLine;
  let last = Math.min(range.endLine, lines.length);
  for (let added = 0; added < CONTEXT_LINES; added += 2) {
    first = Math.max(1, first - 1);
    last = Math.min(lines.length, last + 1);
  }
  const rule = '-'.repeat(20);
  const body = lines.slice(first - 1, last).map((line, index) => {
    const number = first + index;
    const isMarked = number >= range.startLine && number <= range.endLine;
    return ` ${String(number).padStart(3)} | ${isMarked ? '>>>' : '   '} ${line}`;
  });
  return [`${source.name}:${range.startLine}`, rule, ...body, rule, ''].join('\n');
}
