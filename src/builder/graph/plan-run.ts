/** From a RUN to the command that is executed, and to the key of its result. */

import { commandLine, splitVariable, workingDir } from '../../dockerfile/change-config.ts';
import { parseError } from '../../dockerfile/dockerfile-errors.ts';
import { type Expansion, expandText, expandWord } from '../../dockerfile/expand-word.ts';
import type { Located, RunInstruction } from '../../dockerfile/instruction.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { notEntitled } from '../builder-errors.ts';
import type { NewLayer, StepLog } from '../cache/layer-cache.ts';
import { PathPatterns } from '../patterns/path-patterns.ts';
import { type MountOptions, parseMount } from '../steps/mount-options.ts';
import type { RunMount } from '../steps/run-mounts.ts';
import { runStep } from '../steps/run-step.ts';
import { selectFiles } from '../steps/select-files.ts';
import type { BuildRun } from './build-run.ts';
import { type StageState, topOf } from './stage-state.ts';
import { PROXY_ARGS } from './variables.ts';

export interface PlannedRun {
  readonly key: Digest;
  /** `NAME=value` of the arguments in scope, for the history. */
  readonly shownArgs: readonly string[];
  make(log: (log: StepLog) => void, signal: AbortSignal): Promise<NewLayer>;
}

const NOTHING_EXCLUDED = { excluded: new PathPatterns([]), doubleStar: false };

interface RunInput {
  readonly state: StageState;
  readonly instruction: Located<RunInstruction>;
  readonly expansion: Expansion;
}

/** `forbidden` without the entitlement that it needs, `invalid-argument` for impossible options. */
export async function planRun(run: BuildRun, input: RunInput): Promise<PlannedRun> {
  const { state, instruction, expansion } = input;
  const mounts = instruction.mounts.map((text) => toMount(run, input, text));
  const shownArgs = scopedArgs(state);
  const networkMode = networkOf(run, instruction);
  const isInsecure = isInsecureRun(run, instruction);
  const args = argsOf(state, instruction, expansion);
  const { config } = state;
  const env = [...(config.Env ?? []), ...shownArgs];
  const cwd = workingDir(state, '');
  const user = config.User ?? '';
  const parent = topOf(state);
  const mountKeys = await Promise.all(mounts.map((mount) => keyOfMount(run, mount)));
  const key = digestOf(
    JSON.stringify(['RUN', parent, args, env, cwd, user, networkMode, isInsecure, mountKeys]),
  );
  const proxies = [...run.request.buildArgs]
    .filter(([name]) => PROXY_ARGS.includes(name))
    .map(([name, value]) => `${name}=${value}`);
  const request = {
    ...{ args, user, networkMode, isInsecure, settings: run.request.run },
    env: [...proxies, ...env],
    workingDir: cwd,
  };
  const { deps, cacheMounts } = run;
  const platform = formatPlatform(state.platform);
  const work = { request, mounts, parent, platform, client: run.request, cacheMounts };
  return {
    key,
    shownArgs,
    make: (log, signal) => runStep(deps, work, { log, signal }),
  };
}

/** Declared arguments that no ENV hides. */
function scopedArgs({ args, config }: StageState): readonly string[] {
  const names = new Set((config.Env ?? []).map((entry) => splitVariable(entry)[0]));
  return [...args]
    .filter(
      ([name, value]) => value !== undefined && !names.has(name) && !PROXY_ARGS.includes(name),
    )
    .map(([name, value]) => `${name}=${value}`);
}

/** A heredoc alone is a script; behind a command it is the shell's. */
function argsOf(
  { config }: StageState,
  { command, heredocs }: RunInstruction,
  expansion: Expansion,
): readonly string[] {
  const [first] = heredocs;
  if (command.form === 'exec' || first === undefined) return commandLine(config, command);
  if (command.line.trim() === first.mark && heredocs.length === 1) {
    const script = first.expand ? expandText(first.content, expansion) : first.content;
    const [, interpreter] = /^#!\s*(\S+[^\n]*)\n/.exec(first.content) ?? [];
    if (interpreter === undefined) return commandLine(config, { form: 'shell', line: script });
    // The shell hands the script to the interpreter that its first line names.
    const line = `${interpreter} /dev/stdin <<'${first.name}'\n${script}${first.name}`;
    return commandLine(config, { form: 'shell', line });
  }
  const documents = heredocs.map(({ content, name }) => `\n${content}${name}`).join('');
  return commandLine(config, { form: 'shell', line: command.line + documents });
}

function networkOf(run: BuildRun, { network, range }: Located<RunInstruction>): string {
  const mode = network ?? run.request.run.networkMode;
  if (network !== undefined && !['default', 'none', 'host'].includes(network)) {
    throw parseError(range, `unsupported network mode "${network}"`);
  }
  if (network === 'host' && !run.request.entitlements.has('network.host')) {
    throw notEntitled('network.host');
  }
  return network === 'default' ? run.request.run.networkMode : mode;
}

function isInsecureRun(run: BuildRun, { security, range }: Located<RunInstruction>): boolean {
  if (security === undefined || security === 'sandbox') return false;
  if (security !== 'insecure') throw parseError(range, `unsupported security mode "${security}"`);
  if (!run.request.entitlements.has('security.insecure')) throw notEntitled('security.insecure');
  return true;
}

function toMount(run: BuildRun, { instruction, expansion }: RunInput, text: string): RunMount {
  const options = parseMount(expandWord(text, expansion), instruction.range);
  const needsTree =
    options.type === 'bind' || (options.type === 'cache' && options.from !== undefined);
  return { options, tree: needsTree ? run.tree(options.from) : undefined };
}

/** What the result depends on: not what caches, secrets and agents hold. */
async function keyOfMount(run: BuildRun, { options, tree }: RunMount): Promise<string> {
  if (options.type !== 'bind' || tree === undefined) return JSON.stringify(shape(options));
  const source = options.source ?? '/';
  if (tree.identity !== undefined) return JSON.stringify([shape(options), tree.identity]);
  const selections = await selectFiles(tree, [source], NOTHING_EXCLUDED);
  const files = await run.digests.ofSelections(selections, { keepsOwners: tree.keepsOwners });
  return JSON.stringify([shape(options), files]);
}

function shape({ type, target, source, id, readOnly, env }: MountOptions) {
  return { type, target, source, id, readOnly, env };
}
