/** Carries out one instruction of a stage. */

import { commandLine, workingDir } from '../../dockerfile/change-config.ts';
import { type Expansion, expandText, expandWord } from '../../dockerfile/expand-word.ts';
import type {
  ArgInstruction,
  CopyInstruction,
  Located,
  RunInstruction,
  StageInstruction,
} from '../../dockerfile/instruction.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { LayerWork, NewLayer, StepLog } from '../cache/layer-cache.ts';
import { fetchStep } from '../cache/remote/fetch-step.ts';
import { addSources } from '../steps/add-sources.ts';
import { copyStep, destinationOf, type PlannedCopy, planCopy } from '../steps/copy-step.ts';
import { makeLayer } from '../steps/make-layer.ts';
import type { BuildRun } from './build-run.ts';
import { configure } from './configure.ts';
import { planRun } from './plan-run.ts';
import { findStage } from './plan-stages.ts';
import { type StageState, toImageConfig, topOf, withConfig, withLayer } from './stage-state.ts';
import type { StepOutcome, StepReporter } from './step-reporter.ts';
import { declareArgs, stageExpansion } from './variables.ts';

export interface StageRun {
  readonly run: BuildRun;
  readonly reporter: StepReporter;
  /** Nothing of this stage comes from the cache. */
  readonly ignoresCache: boolean;
}

/** The state after the instruction. Errors have its place. */
export async function runInstruction(
  stage: StageRun,
  state: StageState,
  instruction: Located<StageInstruction>,
): Promise<StageState> {
  stage.run.signal.throwIfAborted();
  const { reporter, run } = stage;
  const expansion = stageExpansion(state, run.dockerfile.escapeChar);
  switch (instruction.kind) {
    case 'RUN':
      return await reporter.vertexStep(instruction, (log) =>
        runCommand(stage, { state, instruction, expansion }, log),
      );
    case 'COPY':
    case 'ADD':
      // Waiting for another stage is not part of the step.
      await stageOf(run, instruction.from);
      return await reporter.vertexStep(instruction, (log) =>
        copyFiles(stage, { state, instruction, expansion }, log),
      );
    case 'WORKDIR':
      return await reporter.vertexStep(instruction, (log) =>
        changeDirectory(stage, { state, expansion, path: instruction.value }, log),
      );
    case 'ARG':
      return reporter.settingStep(instruction, () =>
        unchanged(declare(run, state, { instruction, expansion })),
      );
    default:
      return reporter.settingStep(instruction, () =>
        unchanged(configure(state, instruction, expansion)),
      );
  }
}

/** The stage that files are copied from, at its end. */
async function stageOf({ request, dockerfile, stage }: BuildRun, from: string | undefined) {
  if (from === undefined || request.namedContexts.has(from.toLowerCase())) return;
  const index = findStage(dockerfile.stages, from);
  if (index !== undefined) await stage(index);
}

function unchanged(state: StageState): StepOutcome<StageState> {
  return { value: state, cached: false, stateId: stateIdOf(state) };
}

/** The id that an image of this state has. */
export function stateIdOf(state: StageState): Digest {
  return digestOf(JSON.stringify(toImageConfig(state, new Map())));
}

function declare(
  run: BuildRun,
  state: StageState,
  given: { readonly instruction: ArgInstruction; readonly expansion: Expansion },
): StageState {
  const args = declareArgs(state.args, given.instruction, {
    buildArgs: run.request.buildArgs,
    globals: run.globals,
    escapeChar: run.dockerfile.escapeChar,
    expansion: given.expansion,
  });
  const shown = given.instruction.args.map(({ name }) => {
    const value = args.get(name);
    return value === undefined ? name : `${name}=${value}`;
  });
  return withConfig(state, { args }, `ARG ${shown.join(' ')}`);
}

interface Work {
  readonly key: Digest;
  readonly text: string;
  readonly createdBy: string;
  make(log: (log: StepLog) => void, signal: AbortSignal): Promise<NewLayer>;
}

/** Takes the layer from the cache or makes it. */
async function layerStep(
  stage: StageRun,
  state: StageState,
  given: { readonly work: Work; readonly log: (log: StepLog) => void },
): Promise<StepOutcome<StageState>> {
  const { run, ignoresCache } = stage;
  const { work, log } = given;
  const layerWork: LayerWork = {
    key: work.key,
    description: work.text,
    parents: [],
    useCache: !ignoresCache,
    fetch: (signal) => fetchStep(run, { key: work.key, parent: topOf(state) }, signal),
    make: work.make,
  };
  const made = await run.deps.cache.layer(layerWork, { onLog: log, signal: run.signal });
  run.hold(() => made.release());
  run.owe(made.stored);
  const next = withLayer(state, made, work.createdBy);
  run.note({ key: work.key, layers: next.layers, created: made.created });
  return { value: next, cached: made.cached, stateId: stateIdOf(next) };
}

async function runCommand(
  stage: StageRun,
  given: {
    readonly state: StageState;
    readonly instruction: Located<RunInstruction>;
    readonly expansion: Expansion;
  },
  log: (log: StepLog) => void,
): Promise<StepOutcome<StageState>> {
  const { state, instruction } = given;
  const planned = await planRun(stage.run, given);
  const shownArgs =
    planned.shownArgs.length === 0
      ? ''
      : `|${planned.shownArgs.length} ${planned.shownArgs.join(' ')} `;
  const words = commandLine(state.config, instruction.command).join(' ');
  const work: Work = {
    key: planned.key,
    text: instruction.text,
    createdBy: `RUN ${shownArgs}${words} # buildkit`,
    make: planned.make,
  };
  return await layerStep(stage, state, { work, log });
}

async function copyFiles(
  stage: StageRun,
  given: {
    readonly state: StageState;
    readonly instruction: Located<CopyInstruction>;
    readonly expansion: Expansion;
  },
  log: (log: StepLog) => void,
): Promise<StepOutcome<StageState>> {
  const { run } = stage;
  const { state, instruction, expansion } = given;
  const expand = (word: string) => expandWord(word, expansion);
  const optional = (word: string | undefined) => (word === undefined ? undefined : expand(word));
  const parts = await addSources(run, {
    instruction,
    sources: instruction.sources.map(expand),
    contentOf: (doc) => (doc.expand ? expandText(doc.content, expansion) : doc.content),
  });
  const destination = destinationOf(expand(instruction.destination), {
    workingDir: workingDir(state, ''),
    count: instruction.sources.length + instruction.heredocs.length,
    parents: instruction.parents,
  });
  const common = {
    destination,
    excludes: instruction.excludes.map(expand),
    chown: optional(instruction.chown),
    chmod: optional(instruction.chmod),
  };
  const plans: PlannedCopy[] = [];
  for (const part of parts) plans.push(await planCopy(run.digests, { ...part, ...common }));
  const parent = topOf(state);
  const key = digestOf(
    JSON.stringify([instruction.kind, parent, plans.map(({ digest }) => digest)]),
  );
  const work: Work = {
    key,
    text: instruction.text,
    createdBy: `${instruction.text} # buildkit`,
    make: () => copyStep(run.deps, parent, plans),
  };
  return await layerStep(stage, state, { work, log });
}

async function changeDirectory(
  stage: StageRun,
  given: { readonly state: StageState; readonly expansion: Expansion; readonly path: string },
  log: (log: StepLog) => void,
): Promise<StepOutcome<StageState>> {
  const { deps } = stage.run;
  const { state } = given;
  const path = workingDir(state, expandWord(given.path, given.expansion));
  const changed = { ...state, config: { ...state.config, WorkingDir: path } };
  const parent = topOf(state);
  const work: Work = {
    key: digestOf(JSON.stringify(['WORKDIR', parent, path])),
    text: `WORKDIR ${path}`,
    createdBy: `WORKDIR ${path}`,
    make: () =>
      makeLayer(deps, parent, async ({ rootfsDir }) => {
        deps.copier.makeDirectory(rootfsDir, path, { uid: 0, gid: 0 });
      }),
  };
  return await layerStep(stage, changed, { work, log });
}
