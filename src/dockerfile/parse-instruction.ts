/** From the source of one instruction to its parts. */
import { parseSignal } from '../shared/signals.ts';
import { parseError, suggestion } from './dockerfile-errors.ts';
import type { FromInstruction, StageInstruction } from './instruction.ts';
import { flagValue, jsonList, parsePairs, quotedWords, takeFlags } from './instruction-text.ts';
import { parseCopy } from './parse-copy.ts';
import { parseHealthcheck } from './parse-healthcheck.ts';
import { parseCommand, parseRun } from './parse-run.ts';
import type { SourceInstruction } from './source-instruction.ts';

type Parse = (source: SourceInstruction) => StageInstruction;

const STAGE_NAME = /^[a-z][a-z0-9-_.]*$/;

const PARSERS: Readonly<Record<string, Parse>> = {
  ADD: (source) => parseCopy('ADD', source),
  ARG: parseArg,
  CMD: (source) => ({ kind: 'CMD', command: parseCommand(withoutFlags('CMD', source)) }),
  COPY: (source) => parseCopy('COPY', source),
  ENTRYPOINT: (source) => ({
    kind: 'ENTRYPOINT',
    command: parseCommand(withoutFlags('ENTRYPOINT', source)),
  }),
  ENV: (source) => parseAssignment('ENV', source),
  EXPOSE: parseExpose,
  HEALTHCHECK: parseHealthcheck,
  LABEL: (source) => parseAssignment('LABEL', source),
  MAINTAINER: (source) => parseSingle('MAINTAINER', source),
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: parseStopSignal,
  USER: (source) => parseSingle('USER', source),
  VOLUME: parseVolume,
  WORKDIR: (source) => parseSingle('WORKDIR', source),
};

/** Names of all instructions. */
export const KEYWORDS: readonly string[] = ['FROM', ...Object.keys(PARSERS)];

/** `invalid-argument` with BuildKit's text and the line for everything that is no instruction. */
export function parseInstruction(source: SourceInstruction): FromInstruction | StageInstruction {
  const keyword = source.keyword.toUpperCase();
  if (keyword === 'FROM') return parseFrom(source);
  const parse = Object.hasOwn(PARSERS, keyword) ? PARSERS[keyword] : undefined;
  if (parse === undefined) {
    const hint = suggestion(keyword, KEYWORDS);
    throw parseError(source.range, `unknown instruction: ${source.keyword}${hint}`);
  }
  return parse(source);
}

function parseFrom(source: SourceInstruction): FromInstruction {
  const { range } = source;
  const { flags, rest } = takeFlags(source.text, { keyword: 'FROM', known: ['platform'], range });
  const words = rest.split(/\s+/).filter((word) => word !== '');
  const [image = '', as = '', name] = words;
  if (words.length !== 1 && !(words.length === 3 && as.toUpperCase() === 'AS')) {
    throw parseError(range, 'FROM requires either one or three arguments');
  }
  if (name !== undefined && !STAGE_NAME.test(name.toLowerCase())) {
    throw parseError(
      range,
      `invalid name for build stage: "${name}", name can't start with a number or contain symbols`,
    );
  }
  return {
    kind: 'FROM',
    image,
    platform: flagValue(flags, 'platform'),
    stageName: name,
    asWord: name === undefined ? undefined : as,
  };
}

function parseArg(source: SourceInstruction): StageInstruction {
  const words = quotedWords(withoutFlags('ARG', source));
  if (words.length === 0) throw parseError(source.range, 'ARG requires at least one argument');
  const args = words.map((word) => {
    const at = word.indexOf('=');
    if (at === 0) throw parseError(source.range, 'ARG names can not be blank');
    return at < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
  return { kind: 'ARG', args };
}

function parseAssignment(kind: 'ENV' | 'LABEL', source: SourceInstruction): StageInstruction {
  const text = withoutFlags(kind, source);
  if (text === '') throw parseError(source.range, `${kind} requires at least one argument`);
  return { kind, ...parsePairs(kind, text, source.range) };
}

function parseExpose(source: SourceInstruction): StageInstruction {
  const ports = quotedWords(withoutFlags('EXPOSE', source));
  if (ports.length === 0) throw parseError(source.range, 'EXPOSE requires at least one argument');
  return { kind: 'EXPOSE', ports };
}

function parseVolume(source: SourceInstruction): StageInstruction {
  const text = withoutFlags('VOLUME', source);
  const paths = jsonList(text) ?? quotedWords(text);
  if (paths.length === 0) throw parseError(source.range, 'VOLUME requires at least one argument');
  if (paths.some((path) => path.trim() === '')) {
    throw parseError(source.range, 'VOLUME specified can not be an empty string');
  }
  return { kind: 'VOLUME', paths };
}

function parseShell(source: SourceInstruction): StageInstruction {
  const args = jsonList(withoutFlags('SHELL', source));
  if (args === undefined) {
    throw parseError(source.range, 'SHELL requires the arguments to be in JSON form');
  }
  if (args.length === 0) throw parseError(source.range, 'SHELL requires at least one argument');
  return { kind: 'SHELL', args };
}

function parseStopSignal(source: SourceInstruction): StageInstruction {
  const parsed = parseSingle('STOPSIGNAL', source);
  const { text } = source;
  if (!text.includes('$') && parseSignal(text) === undefined) {
    throw parseError(source.range, `invalid signal: ${text}`);
  }
  return parsed;
}

function parseSingle(
  kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER',
  source: SourceInstruction,
): StageInstruction {
  const value = withoutFlags(kind, source);
  if (value === '') throw parseError(source.range, `${kind} requires exactly one argument`);
  return { kind, value };
}

function parseOnbuild(source: SourceInstruction): StageInstruction {
  const trigger = withoutFlags('ONBUILD', source);
  const [keyword = ''] = trigger.split(/\s/, 1);
  const name = keyword.toUpperCase();
  if (name === '') throw parseError(source.range, 'ONBUILD requires at least one argument');
  if (name === 'ONBUILD') {
    throw parseError(source.range, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  }
  if (name === 'FROM' || name === 'MAINTAINER') {
    throw parseError(source.range, `${name} isn't allowed as an ONBUILD trigger`);
  }
  const heredocs = source.heredocs.map((doc) => `\n${doc.content}${doc.name}`).join('');
  return { kind: 'ONBUILD', trigger: trigger + heredocs };
}

/** The arguments of an instruction that has no flags. */
function withoutFlags(keyword: string, { text, range }: SourceInstruction): string {
  return takeFlags(text, { keyword, known: [], range }).rest;
}
