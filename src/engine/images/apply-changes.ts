/** `--change` of `docker commit` and `docker import`: Dockerfile instructions that change a config. */
import { changeConfig, type Setting, splitVariable } from '../../dockerfile/change-config.ts';
import { parseInstruction } from '../../dockerfile/parse-instruction.ts';
import { readSource } from '../../dockerfile/read-source.ts';
import type { SourceInstruction } from '../../dockerfile/source-instruction.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';
import { malformedChange } from './image-errors.ts';

/** dockerd's list. */
const KINDS = [
  ...(['CMD', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'HEALTHCHECK', 'LABEL'] as const),
  ...(['ONBUILD', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'] as const),
] satisfies readonly Setting['kind'][];

/** The config with the instructions carried out in order; `invalid-argument` for one that is none. */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const text = changes.join('\n');
  if (text.trim() === '') return config;
  const { directives, instructions } = readSource(text);
  let state = { config: { ...config }, hasOwnCommand: false };
  for (const setting of instructions.map(settingOf)) {
    const variables = new Map((state.config.Env ?? []).map(splitVariable));
    const lookup = (name: string) => variables.get(name);
    const changed = changeConfig(state, setting, { lookup, escapeChar: directives.escapeChar });
    // The settings that images do not have go through as they are.
    state = { ...changed, config: changed.config as ContainerConfig };
  }
  return state.config;
}

function settingOf(source: SourceInstruction): Setting {
  const kind = source.keyword.toUpperCase();
  if (!KINDS.some((known) => known === kind)) {
    throw malformedChange(`${source.keyword} is not a valid change command`);
  }
  return parseInstruction(source) as Setting;
}
