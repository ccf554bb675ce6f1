/** Builds one stage from its base to its last instruction. */

import type { Place } from '../../dockerfile/instruction.ts';
import { parseTrigger } from '../../dockerfile/parse-dockerfile.ts';
import type { BaseImage } from '../build-images.ts';
import { invalidContext } from '../builder-errors.ts';
import type { BuildRun } from './build-run.ts';
import type { StageRun } from './layer-step.ts';
import type { PlannedStage } from './plan-stages.ts';
import { shownBase } from './resolve-base.ts';
import { runInstruction } from './run-instruction.ts';
import {
  emptyState,
  type StageState,
  stateIdOf,
  stateOfImage,
  stateOfStage,
} from './stage-state.ts';
import type { StepOutcome } from './step-reporter.ts';

/** The state at the stage's end. Triggers of the base image come first. */
export async function runStage(run: BuildRun, planned: PlannedStage): Promise<StageState> {
  const { stage } = planned;
  const { noCache } = run.request;
  const isNamed =
    typeof noCache !== 'string' && noCache.includes(stage.name ?? String(stage.index));
  const stageRun: StageRun = {
    run,
    reporter: run.reporter(planned),
    ignoresCache: noCache === 'all' || isNamed,
  };
  // Waiting for another stage is not part of the step.
  if (planned.base.kind === 'stage') await run.stage(planned.base.index);
  const begun = await beginStage(stageRun, planned);
  const { OnBuild, ...config } = begun.config;
  let state: StageState = OnBuild === undefined ? begun : { ...begun, config };
  for (const trigger of OnBuild ?? []) {
    const instruction = parseTrigger(trigger, stage.from.range);
    state = await runInstruction(stageRun, state, instruction);
  }
  for (const instruction of stage.instructions) {
    state = await runInstruction(stageRun, state, instruction);
  }
  return state;
}

/** FROM: its image, if it is one, is there before the step is shown. */
async function beginStage({ run, reporter }: StageRun, planned: PlannedStage): Promise<StageState> {
  const shown = shownFrom(planned);
  const { base, stage } = planned;
  if (base.kind !== 'image') return await reporter.vertexStep(shown, () => baseState(run, planned));
  const settled = await run.baseImage(planned).then(
    (image) => ({ image }),
    (error: unknown) => ({ error }),
  );
  if ('error' in settled) {
    return reporter.settingStep(shown, () => {
      throw settled.error;
    });
  }
  const name = stage.from.stageName === undefined ? '' : ` AS ${stage.from.stageName}`;
  const vertexText = `FROM ${shownBase(base.ref, settled.image)}${name}`;
  return await reporter.vertexStep({ ...shown, vertexText }, () => baseState(run, planned));
}

function shownFrom({ stage, base }: PlannedStage): Place {
  const { range, text } = stage.from;
  if (base.kind !== 'image') return { range, text };
  const name = stage.from.stageName === undefined ? '' : ` AS ${stage.from.stageName}`;
  return { range, text: `FROM ${base.ref}${name}` };
}

async function baseState(run: BuildRun, planned: PlannedStage): Promise<StepOutcome<StageState>> {
  const { base, platform } = planned;
  switch (base.kind) {
    case 'scratch':
      return { value: emptyState(platform), cached: true, stateId: undefined };
    case 'stage': {
      const state = stateOfStage(await run.stage(base.index));
      return { value: state, cached: true, stateId: stateIdOf(state) };
    }
    case 'named':
    case 'image': {
      const image = await run.baseImage(planned);
      return { value: stateOfImage(image), cached: true, stateId: image.id };
    }
  }
}

/** The image that a stage begins with. */
export async function resolveStageBase(
  run: BuildRun,
  { base, platform }: PlannedStage,
): Promise<BaseImage> {
  if (base.kind === 'image') return await run.image(base.ref, platform);
  const name = base.kind === 'named' ? base.name : '';
  const context = run.request.namedContexts.get(name);
  if (context?.kind !== 'image') {
    throw invalidContext(`context ${name} is no image: a stage cannot begin with it`);
  }
  return await run.image(context.ref, platform);
}
