/** From the text of a Dockerfile to its stages. */
import { buildError, emptyDockerfile, parseError } from './dockerfile-errors.ts';
import type {
  ArgInstruction,
  Dockerfile,
  FromInstruction,
  Located,
  Stage,
  StageInstruction,
} from './instruction.ts';
import { parseInstruction } from './parse-instruction.ts';
import { readSource } from './read-source.ts';
import type { SourceInstruction } from './source-instruction.ts';

/** `invalid-argument` with BuildKit's text and the line for the first mistake. */
export function parseDockerfile(text: string): Dockerfile {
  if (text === '') throw emptyDockerfile();
  const { directives, instructions } = readSource(text);
  const globalArgs: Located<ArgInstruction>[] = [];
  const stages: { from: Located<FromInstruction>; instructions: Located<StageInstruction>[] }[] =
    [];
  for (const source of instructions) {
    const parsed = { ...parseInstruction(source), ...placeOf(source) };
    if (parsed.kind === 'FROM') stages.push({ from: parsed, instructions: [] });
    else if (stages.length > 0) stages.at(-1)?.instructions.push(parsed);
    else if (parsed.kind === 'ARG') globalArgs.push(parsed);
    else throw parseError(source.range, 'no build stage in current context');
  }
  const last = globalArgs.at(-1);
  if (stages.length === 0 && last !== undefined) {
    throw buildError(last.range, 'dockerfile contains no stages to build');
  }
  return {
    globalArgs,
    stages: stages.map(toStage),
    escapeChar: directives.escapeChar,
    check: directives.check,
  };
}

/** The instruction that an image's ONBUILD holds, as if it stood where `FROM` does. */
export function parseTrigger(trigger: string, at: SourceInstruction['range']) {
  const [source] = readSource(trigger).instructions;
  if (source === undefined) throw buildError(at, `invalid ONBUILD trigger: ${trigger}`);
  const parsed = parseInstruction({ ...source, range: at });
  if (parsed.kind === 'FROM') throw buildError(at, "FROM isn't allowed as an ONBUILD trigger");
  return { ...parsed, range: at, text: placeOf(source).text, isTrigger: true } as const;
}

function toStage(
  stage: { from: Located<FromInstruction>; instructions: Located<StageInstruction>[] },
  index: number,
): Stage {
  return { ...stage, index, name: stage.from.stageName?.toLowerCase() };
}

function placeOf(source: SourceInstruction) {
  const { keyword, text, range, hasEmptyContinuation, comments } = source;
  const shown = `${keyword.toUpperCase()} ${text}`.trim().replaceAll(/\s+/g, ' ');
  return { range, keyword, hasEmptyContinuation, comments, text: shown };
}
