/** `--change` of `docker commit` and `docker import`: Dockerfile instructions that change a config. */
import { posix } from 'node:path';
import { parseSignal } from '../../../shared/signals.ts';
import type { ContainerConfig } from '../../../wire/container-config.ts';
import { parseContainerPorts } from '../../../wire/port-syntax.ts';
import { invalidSignal } from '../../containers/container-errors.ts';
import { malformedChange } from '../image-errors.ts';
import { parseHealthcheck } from './healthcheck.ts';
import {
  expandWord,
  type Lookup,
  parseJsonList,
  parsePairs,
  splitWords,
} from './instruction-words.ts';

/** What an instruction sees: the config so far, its arguments, and variables. */
interface Instruction {
  readonly config: ContainerConfig;
  readonly text: string;
  readonly lookup: Lookup;
}

const SHELL: readonly string[] = ['/bin/sh', '-c'];
const FORBIDDEN_TRIGGERS = ['ONBUILD', 'FROM', 'MAINTAINER'];

const INSTRUCTIONS: Readonly<Record<string, (instruction: Instruction) => ContainerConfig>> = {
  CMD: ({ config, text }) => ({ Cmd: commandOf(config, text) }),
  // A new entrypoint makes the old command's arguments meaningless.
  ENTRYPOINT: ({ config, text }) => ({ Entrypoint: commandOf(config, text), Cmd: null }),
  ENV: changeEnv,
  EXPOSE: changePorts,
  HEALTHCHECK: ({ text }) => ({ Healthcheck: parseHealthcheck(text) }),
  LABEL: ({ config, text, lookup }) => ({
    Labels: { ...config.Labels, ...Object.fromEntries(parsePairs('LABEL', text, lookup)) },
  }),
  ONBUILD: ({ config, text }) => ({ OnBuild: [...(config.OnBuild ?? []), trigger(text)] }),
  STOPSIGNAL: ({ text, lookup }) => ({ StopSignal: signalOf(single('STOPSIGNAL', text, lookup)) }),
  USER: ({ text, lookup }) => ({ User: single('USER', text, lookup) }),
  VOLUME: changeVolumes,
  WORKDIR: ({ config, text, lookup }) => ({
    WorkingDir: posix.resolve('/', config.WorkingDir ?? '', expandWord(text, lookup)),
  }),
};

/** The config with the instructions carried out in order; `invalid-argument` for one that is none. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  return changes.flatMap((change) => change.split('\n')).reduce(applyChange, config);
}

function applyChange(config: ContainerConfig, line: string): ContainerConfig {
  const [, name = '', text = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  if (name === '') return config;
  const key = name.toUpperCase();
  const change = Object.hasOwn(INSTRUCTIONS, key) ? INSTRUCTIONS[key] : undefined;
  if (change === undefined) throw malformedChange(`${name} is not a valid change command`);
  if (text === '') throw malformedChange(`${key} requires at least one argument`);
  const variables = new Map((config.Env ?? []).map(splitVariable));
  const changed = change({ config, text, lookup: (variable) => variables.get(variable) });
  return { ...config, ...changed };
}

function splitVariable(variable: string): readonly [string, string] {
  const at = variable.indexOf('=');
  return at < 0 ? [variable, ''] : [variable.slice(0, at), variable.slice(at + 1)];
}

/** A JSON list is the command itself; anything else is for the shell. */
function commandOf(config: ContainerConfig, text: string): readonly string[] {
  return parseJsonList(text) ?? [...(config.Shell ?? SHELL), text];
}

function changeEnv({ config, text, lookup }: Instruction): ContainerConfig {
  const pairs = parsePairs('ENV', text, lookup);
  const names = new Set(pairs.map(([name]) => name));
  const kept = (config.Env ?? []).filter((variable) => !names.has(splitVariable(variable)[0]));
  return { Env: [...kept, ...pairs.map(([name, value]) => `${name}=${value}`)] };
}

function changePorts({ config, text, lookup }: Instruction): ContainerConfig {
  const ports = splitWords(text).flatMap((word) => {
    const { first, last, protocol } = parseContainerPorts(expandWord(word, lookup));
    return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
  });
  const exposed = Object.fromEntries(ports.map((port) => [port, {}]));
  return { ExposedPorts: { ...config.ExposedPorts, ...exposed } };
}

function changeVolumes({ config, text, lookup }: Instruction): ContainerConfig {
  const paths = (parseJsonList(text) ?? splitWords(text)).map((word) => expandWord(word, lookup));
  if (paths.includes('')) throw malformedChange('VOLUME specified can not be an empty string');
  const volumes = Object.fromEntries(paths.map((path) => [path, {}]));
  return { Volumes: { ...config.Volumes, ...volumes } };
}

function trigger(text: string): string {
  const [first = ''] = text.split(/\s/, 1);
  const name = first.toUpperCase();
  if (FORBIDDEN_TRIGGERS.includes(name)) {
    throw malformedChange(
      name === 'ONBUILD'
        ? "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
        : `${name} isn't allowed as an ONBUILD trigger`,
    );
  }
  return text;
}

function single(instruction: string, text: string, lookup: Lookup): string {
  const words = splitWords(text);
  if (words.length !== 1) throw malformedChange(`${instruction} requires exactly one argument`);
  return expandWord(text, lookup);
}

function signalOf(text: string): string {
  if (parseSignal(text) === undefined) throw invalidSignal(text);
  return text;
}
