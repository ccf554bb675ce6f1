/** Which variables instructions see (Dockerfile reference, "ARG", "Scope", "Predefined ARGs"). */

import { splitVariable } from '../../dockerfile/change-config.ts';
import { type Expansion, expandWord } from '../../dockerfile/expand-word.ts';
import type { ArgInstruction, Dockerfile } from '../../dockerfile/instruction.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';

/** Set for RUN without ARG, and not seen in the history. */
export const PROXY_ARGS: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'FTP_PROXY', 'NO_PROXY', 'ALL_PROXY'],
].flatMap((name) => [name, name.toLowerCase()]);

/** ARGs that everybody knows. */
export function platformArgs(build: Platform, target: Platform): ReadonlyMap<string, string> {
  const named = (prefix: string, platform: Platform): [string, string][] => [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ''],
    [`${prefix}OSVERSION`, platform['os.version'] ?? ''],
  ];
  return new Map([...named('BUILD', build), ...named('TARGET', target)]);
}

export interface ArgSources {
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Platform args, and ARGs before the first FROM with their values. */
  readonly globals: ReadonlyMap<string, string | undefined>;
  readonly escapeChar: Dockerfile['escapeChar'];
}

/** The values of ARGs before the first FROM, together with those of the platforms. */
export function globalArgs(
  dockerfile: Dockerfile,
  sources: Omit<ArgSources, 'globals' | 'escapeChar'> & {
    readonly predefined: ReadonlyMap<string, string>;
  },
): ReadonlyMap<string, string | undefined> {
  const values = new Map<string, string | undefined>(sources.predefined);
  for (const [name, value] of sources.buildArgs) if (values.has(name)) values.set(name, value);
  const expansion: Expansion = {
    lookup: (name) => values.get(name),
    escapeChar: dockerfile.escapeChar,
  };
  for (const { args } of dockerfile.globalArgs) {
    for (const { name, value } of args) {
      const fallback = value === undefined ? values.get(name) : expandWord(value, expansion);
      values.set(name, sources.buildArgs.get(name) ?? fallback);
    }
  }
  return values;
}

/** The arguments in scope after an ARG of a stage. */
export function declareArgs(
  before: ReadonlyMap<string, string | undefined>,
  instruction: ArgInstruction,
  sources: ArgSources & { readonly expansion: Expansion },
): ReadonlyMap<string, string | undefined> {
  const args = new Map(before);
  const lookup = (name: string) => args.get(name) ?? sources.expansion.lookup(name);
  for (const { name, value } of instruction.args) {
    const own =
      value === undefined ? undefined : expandWord(value, { ...sources.expansion, lookup });
    args.set(name, sources.buildArgs.get(name) ?? own ?? sources.globals.get(name));
  }
  return args;
}

/** What words of a stage's instructions are expanded with: ENV first, then ARG. */
export function stageExpansion(
  state: {
    readonly config: { readonly Env?: readonly string[] | null };
    readonly args: ReadonlyMap<string, string | undefined>;
  },
  escapeChar: Dockerfile['escapeChar'],
): Expansion {
  const variables = new Map<string, string | undefined>(state.args);
  for (const entry of state.config.Env ?? []) variables.set(...splitVariable(entry));
  return { lookup: (name) => variables.get(name), escapeChar };
}
