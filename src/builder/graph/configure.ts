/** Instructions that change the image's settings and no files. */
import { posix } from 'node:path';
import type { ImageRunConfig } from '../../oci/image-spec.ts';
import { EngineError } from '../../shared/errors.ts';
import { parseSignal } from '../../shared/signals.ts';
import { parseContainerPorts } from '../../wire/port-syntax.ts';
import { type Expansion, expandWord } from '../dockerfile/expand-word.ts';
import type { CommandForm, StageInstruction } from '../dockerfile/instruction.ts';
import { type StageState, withConfig } from './stage-state.ts';
import { splitVariable } from './variables.ts';

const SHELL: readonly string[] = ['/bin/sh', '-c'];

type Of<Kind extends StageInstruction['kind']> = Extract<StageInstruction, { kind: Kind }>;
/** Instructions that this module carries out. */
export type Setting = Exclude<StageInstruction, Of<'ARG'> | Of<'RUN'> | Of<'COPY' | 'ADD'>>;

/** The state after the instruction. `invalid-argument` when a word cannot be expanded or means nothing. */
export function configure(state: StageState, setting: Setting, expansion: Expansion): StageState {
  const expand = (word: string) => expandWord(word, expansion);
  switch (setting.kind) {
    case 'ENV':
      return changeEnv(state, expandPairs(setting, expand));
    case 'LABEL':
      return changeLabels(state, expandPairs(setting, expand));
    case 'CMD':
    case 'ENTRYPOINT':
      return changeCommand(state, setting);
    case 'SHELL':
      return set(state, { Shell: setting.args }, `SHELL [${setting.args.join(' ')}]`);
    case 'EXPOSE':
      return changePorts(
        state,
        setting.ports.flatMap((word) => expand(word).split(/\s+/)),
      );
    case 'VOLUME':
      return changeVolumes(state, setting.paths.map(expand));
    case 'HEALTHCHECK':
      return changeHealthcheck(state, setting);
    case 'ONBUILD': {
      const triggers = [...(state.config.OnBuild ?? []), setting.trigger];
      return set(state, { OnBuild: triggers }, `ONBUILD ${setting.trigger}`);
    }
    default:
      return changeSingle(state, setting.kind, expand(setting.value));
  }
}

function set(state: StageState, change: ImageRunConfig, createdBy: string): StageState {
  return withConfig(state, { config: { ...state.config, ...change } }, createdBy);
}

/** In the old form, without `=`, the rest of the line is the value and quotes in it stay. */
function expandPairs(
  setting: Of<'ENV'> | Of<'LABEL'>,
  expand: (word: string) => string,
): readonly (readonly [string, string])[] {
  return setting.pairs.map(([name, value]) => [expand(name), expand(value)]);
}

function changeEnv(state: StageState, pairs: readonly (readonly [string, string])[]): StageState {
  const variables = new Map((state.config.Env ?? []).map(splitVariable));
  for (const [name, value] of pairs) variables.set(name, value);
  const Env = [...variables].map(([name, value]) => `${name}=${value}`);
  return set(state, { Env }, `ENV ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`);
}

function changeLabels(
  state: StageState,
  pairs: readonly (readonly [string, string])[],
): StageState {
  const Labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
  return set(
    state,
    { Labels },
    `LABEL ${pairs.map(([name, value]) => `${name}=${value}`).join(' ')}`,
  );
}

/** A JSON list is the command itself; anything else is for the shell. */
export function commandLine(config: ImageRunConfig, command: CommandForm): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...(config.Shell ?? SHELL), command.line];
}

function changeCommand(state: StageState, setting: Of<'CMD' | 'ENTRYPOINT'>): StageState {
  const { config } = state;
  const isEmpty = setting.command.form === 'shell' && setting.command.line === '';
  const words = isEmpty ? [] : commandLine(config, setting.command);
  const createdBy = `${setting.kind} ${JSON.stringify(words)}`;
  if (setting.kind === 'CMD') {
    return withConfig(state, { config: { ...config, Cmd: words }, hasOwnCommand: true }, createdBy);
  }
  // A new entrypoint makes the arguments of an inherited command meaningless.
  const { Cmd: _, ...withoutCommand } = config;
  const kept = state.hasOwnCommand ? config : withoutCommand;
  return withConfig(state, { config: { ...kept, Entrypoint: words } }, createdBy);
}

function changePorts(state: StageState, words: readonly string[]): StageState {
  const ports = words
    .filter((word) => word !== '')
    .flatMap((word) => {
      const { first, last, protocol } = parseContainerPorts(word);
      return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
    });
  const ExposedPorts = {
    ...state.config.ExposedPorts,
    ...Object.fromEntries(ports.map((port) => [port, {}])),
  };
  return set(state, { ExposedPorts }, `EXPOSE map[${ports.map((port) => `${port}:{}`).join(' ')}]`);
}

function changeVolumes(state: StageState, paths: readonly string[]): StageState {
  if (paths.includes('')) {
    throw new EngineError('invalid-argument', 'VOLUME specified can not be an empty string');
  }
  const Volumes = {
    ...state.config.Volumes,
    ...Object.fromEntries(paths.map((path) => [path, {}])),
  };
  return set(state, { Volumes }, `VOLUME [${paths.join(' ')}]`);
}

function changeHealthcheck(state: StageState, { check, isShell }: Of<'HEALTHCHECK'>): StageState {
  const shell = state.config.Shell ?? SHELL;
  const isOwnShell = isShell && state.config.Shell !== undefined && state.config.Shell !== null;
  const test = isOwnShell ? ['CMD', ...shell, ...(check.Test ?? []).slice(1)] : check.Test;
  const Healthcheck = { ...check, ...(test === undefined ? {} : { Test: test }) };
  return set(state, { Healthcheck }, `HEALTHCHECK ${JSON.stringify(Healthcheck)}`);
}

function changeSingle(
  state: StageState,
  kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER',
  value: string,
): StageState {
  switch (kind) {
    case 'USER':
      return set(state, { User: value }, `USER ${value}`);
    case 'WORKDIR':
      return { ...state, config: { ...state.config, WorkingDir: workingDir(state, value) } };
    case 'MAINTAINER':
      return withConfig(state, { author: value }, `MAINTAINER ${value}`);
    case 'STOPSIGNAL':
      if (parseSignal(value) === undefined) {
        throw new EngineError('invalid-argument', `invalid signal: ${value}`);
      }
      return set(state, { StopSignal: value }, `STOPSIGNAL ${value}`);
  }
}

/** The absolute path that a WORKDIR, or a relative path of an instruction, means. */
export function workingDir({ config }: Pick<StageState, 'config'>, path: string): string {
  return posix.resolve('/', config.WorkingDir ?? '', path);
}
