/** Carries out one instruction of a stage. */

import { commandLine, workingDir } from '../../dockerfile/change-config.ts';
import { type Expansion, expandWord } from '../../dockerfile/expand-word.ts';
import type {
  ArgInstruction,
  Located,
  RunInstruction,
  StageInstruction,
} from '../../dockerfile/instruction.ts';
import { digestOf } from '../../oci/digest.ts';
import type { StepLog } from '../cache/layer-cache.ts';
import { makeLayer } from '../steps/make-layer.ts';
import type { BuildRun } from './build-run.ts';
import { configure } from './configure.ts';
import { copyFiles } from './copy-files.ts';
import { type LayerStep, layerStep, type StageRun } from './layer-step.ts';
import { planRun } from './plan-run.ts';
import { findStage } from './plan-stages.ts';
import { type StageState, stateIdOf, topOf, withConfig } from './stage-state.ts';
import type { StepOutcome } from './step-reporter.ts';
import { declareArgs, stageExpansion } from './variables.ts';

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
  const step: LayerStep = {
    key: planned.key,
    parent: topOf(state),
    text: instruction.text,
    createdBy: `RUN ${shownArgs}${words} # buildkit`,
    make: planned.make,
  };
  return await layerStep(stage, state, { step, log });
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
  const step: LayerStep = {
    key: digestOf(JSON.stringify(['WORKDIR', parent, path])),
    parent,
    text: `WORKDIR ${path}`,
    createdBy: `WORKDIR ${path}`,
    make: () =>
      makeLayer(deps, parent, async ({ rootfsDir }) => {
        deps.copier.makeDirectory(rootfsDir, path, { uid: 0, gid: 0 });
      }),
  };
  return await layerStep(stage, changed, { step, log });
}
