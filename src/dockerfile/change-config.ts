/** What instructions do to the settings of an image: in builds, and as the changes of `commit` and `import`. */
import { posix } from 'node:path';
import type { ImageRunConfig } from '../oci/image-spec.ts';
import { EngineError } from '../shared/errors.ts';
import { parseSignal } from '../shared/signals.ts';
import { parseContainerPorts, parseHostPorts } from '../wire/port-syntax.ts';
import { type Expansion, expandWord } from './expand-word.ts';
import type { CommandForm, StageInstruction } from './instruction.ts';

const SHELL: readonly string[] = ['/bin/sh', '-c'];

type Of<Kind extends StageInstruction['kind']> = Extract<StageInstruction, { kind: Kind }>;
/** Instructions that change settings and nothing else. */
export type Setting = Exclude<
  StageInstruction,
  { readonly kind: 'ARG' | 'RUN' | 'COPY' | 'ADD' | 'MAINTAINER' }
>;

export interface ConfigState {
  readonly config: ImageRunConfig;
  /** CMD was given by an instruction before, so that ENTRYPOINT leaves it. */
  readonly hasOwnCommand: boolean;
}

/** Settings after an instruction, and how the history tells of it. */
export interface ChangedConfig extends ConfigState {
  readonly createdBy: string;
}

type Pairs = readonly (readonly [name: string, value: string])[];

/** The settings after the instruction. `invalid-argument` when a word cannot be expanded or means nothing. */
export function changeConfig(
  state: ConfigState,
  setting: Setting,
  expansion: Expansion,
): ChangedConfig {
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

function set(state: ConfigState, change: ImageRunConfig, createdBy: string): ChangedConfig {
  return { ...state, config: { ...state.config, ...change }, createdBy };
}

function expandPairs(setting: Of<'ENV'> | Of<'LABEL'>, expand: (word: string) => string): Pairs {
  return setting.pairs.map(([name, value]) => [expand(name), expand(value)]);
}

const shown = (pairs: Pairs) => pairs.map(([name, value]) => `${name}=${value}`);

/** Name and value of `NAME=value`. */
export function splitVariable(entry: string): [name: string, value: string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

function changeEnv(state: ConfigState, pairs: Pairs): ChangedConfig {
  const variables = new Map((state.config.Env ?? []).map(splitVariable));
  for (const [name, value] of pairs) variables.set(name, value);
  return set(state, { Env: shown([...variables]) }, `ENV ${shown(pairs).join(' ')}`);
}

function changeLabels(state: ConfigState, pairs: Pairs): ChangedConfig {
  const Labels = { ...state.config.Labels, ...Object.fromEntries(pairs) };
  return set(state, { Labels }, `LABEL ${shown(pairs).join(' ')}`);
}

/** A JSON list is the command itself; anything else is for the shell. */
export function commandLine(config: ImageRunConfig, command: CommandForm): readonly string[] {
  if (command.form === 'exec') return command.args;
  return [...(config.Shell ?? SHELL), command.line];
}

function changeCommand(state: ConfigState, setting: Of<'CMD' | 'ENTRYPOINT'>): ChangedConfig {
  const { config, hasOwnCommand } = state;
  const isEmpty = setting.command.form === 'shell' && setting.command.line === '';
  const words = isEmpty ? [] : commandLine(config, setting.command);
  const createdBy = `${setting.kind} ${JSON.stringify(words)}`;
  if (setting.kind === 'CMD') {
    return { config: { ...config, Cmd: words }, hasOwnCommand: true, createdBy };
  }
  // A new entrypoint makes the arguments of an inherited command meaningless.
  const { Cmd: _, ...withoutCommand } = config;
  const kept = hasOwnCommand ? config : withoutCommand;
  return { config: { ...kept, Entrypoint: words }, hasOwnCommand, createdBy };
}

function changePorts(state: ConfigState, words: readonly string[]): ChangedConfig {
  const ports = words
    .filter((word) => word !== '')
    .flatMap((word) => {
      const { first, last, protocol } = exposedPorts(word);
      return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
    });
  const ExposedPorts = { ...state.config.ExposedPorts, ...named(ports) };
  return set(state, { ExposedPorts }, `EXPOSE map[${ports.map((port) => `${port}:{}`).join(' ')}]`);
}

/** Of `[address:]host:container` the container's ports: what is in front means nothing in an image. */
function exposedPorts(word: string) {
  const at = word.lastIndexOf(':');
  if (at >= 0) parseHostPorts(word.slice(0, at).split(':').at(-1));
  return parseContainerPorts(word.slice(at + 1));
}

function changeVolumes(state: ConfigState, paths: readonly string[]): ChangedConfig {
  if (paths.includes('')) {
    throw new EngineError('invalid-argument', 'VOLUME specified can not be an empty string');
  }
  const Volumes = { ...state.config.Volumes, ...named(paths) };
  return set(state, { Volumes }, `VOLUME [${paths.join(' ')}]`);
}

const named = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, {}]));

function changeHealthcheck(
  state: ConfigState,
  { check, isShell }: Of<'HEALTHCHECK'>,
): ChangedConfig {
  const shell = state.config.Shell ?? SHELL;
  const isOwnShell = isShell && state.config.Shell !== undefined && state.config.Shell !== null;
  const test = isOwnShell ? ['CMD', ...shell, ...(check.Test ?? []).slice(1)] : check.Test;
  const Healthcheck = { ...check, ...(test === undefined ? {} : { Test: test }) };
  return set(state, { Healthcheck }, `HEALTHCHECK ${JSON.stringify(Healthcheck)}`);
}

type SingleKind = 'USER' | 'WORKDIR' | 'STOPSIGNAL';

function changeSingle(state: ConfigState, kind: SingleKind, value: string): ChangedConfig {
  const createdBy = `${kind} ${value}`;
  if (kind === 'USER') return set(state, { User: value }, createdBy);
  if (kind === 'WORKDIR') return set(state, { WorkingDir: workingDir(state, value) }, createdBy);
  if (parseSignal(value) === undefined) {
    throw new EngineError('invalid-argument', `invalid signal: ${value}`);
  }
  return set(state, { StopSignal: value }, createdBy);
}

/** The absolute path that a WORKDIR, or a relative path of an instruction, means. */
export function workingDir({ config }: Pick<ConfigState, 'config'>, path: string): string {
  return posix.resolve('/', config.WorkingDir ?? '', path);
}
