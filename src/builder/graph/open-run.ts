/** Makes the state of a build for one platform. */
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import { contextTree, layersTree } from '../contexts/source-trees.ts';
import type { StageInstruction } from '../dockerfile/instruction.ts';
import { ignoreLines } from '../patterns/path-patterns.ts';
import type { BuildRun } from './build-run.ts';
import { findStage, type PlannedStage, planStages, type StagePlan } from './plan-stages.ts';
import { resolveBase, runStage } from './run-stage.ts';
import { type StageState, topOf } from './stage-state.ts';
import { StepReporter } from './step-reporter.ts';
import { globalArgs, platformArgs } from './variables.ts';

/** What builds for several platforms share. */
export type RunParts = Pick<
  BuildRun,
  'deps' | 'cacheMounts' | 'digests' | 'request' | 'dockerfile' | 'progress' | 'signal' | 'hold'
>;

/** `finish` resolves when everything that the result needs is durable. */
export function openRun(
  parts: RunParts,
  platform: Platform,
  undo: CleanupStack,
): { readonly run: BuildRun; finish(): Promise<void> } {
  const { request, dockerfile, deps } = parts;
  const predefined = platformArgs(deps.platform, platform);
  const globals = globalArgs(dockerfile, { buildArgs: request.buildArgs, predefined });
  const plan = planStages({
    ...{ dockerfile, platform, globals },
    target: request.target,
    namedContexts: new Set(request.namedContexts.keys()),
  });
  const owed: Promise<void>[] = [];
  const stages = new Map<number, Promise<StageState>>();
  const trees = new Map<string, SourceTree>();
  const run: BuildRun = {
    ...parts,
    ...{ plan, globals, platform },
    owe: (stored) => owed.push(stored),
    defer: (step) => undo.defer(step),
    stage: (index) => {
      const begun = stages.get(index) ?? startStage(run, index);
      stages.set(index, begun);
      return begun;
    },
    tree: (from) => {
      const key = from === undefined ? '' : from.toLowerCase();
      const known = trees.get(key) ?? makeTree(run, from);
      trees.set(key, known);
      return known;
    },
    reporter: (planned) => reporterOf(run, planned),
  };
  return { run, finish: async () => void (await Promise.all(owed)) };
}

function startStage(run: BuildRun, index: number): Promise<StageState> {
  const planned = run.plan.needed.find(({ stage }) => stage.index === index);
  if (planned === undefined) return Promise.reject(new Error(`stage ${index} is not planned`));
  const state = runStage(run, planned);
  // Somebody awaits it later, and hears of its failure then.
  state.catch(() => undefined);
  return state;
}

/** Vertexes of a stage: what has files. */
const WITH_VERTEX: ReadonlySet<StageInstruction['kind']> = new Set([
  'RUN',
  'COPY',
  'ADD',
  'WORKDIR',
]);

function reporterOf(run: BuildRun, planned: PlannedStage): StepReporter {
  const { needed } = run.plan;
  const { stage } = planned;
  const stepsOf = (one: PlannedStage) => 1 + one.stage.instructions.length;
  const earlier = needed.filter((one) => one.stage.index < stage.index);
  const isOnly = run.dockerfile.stages.length === 1;
  const platform = run.request.platforms.length > 1 ? `${formatPlatform(run.platform)} ` : '';
  const name = isOnly && stage.name === undefined ? '' : (stage.name ?? `stage-${stage.index}`);
  return new StepReporter(run.progress, run.deps.clock, {
    name: `${platform}${name}`.trim(),
    index: stage.index,
    vertexes: 1 + stage.instructions.filter(({ kind }) => WITH_VERTEX.has(kind)).length,
    firstStep: 1 + earlier.reduce((sum, one) => sum + stepsOf(one), 0),
    totalSteps: needed.reduce((sum, one) => sum + stepsOf(one), 0),
    salt: formatPlatform(run.platform),
  });
}

function makeTree(run: BuildRun, from: string | undefined): SourceTree {
  const { request } = run;
  if (from === undefined) {
    const exclude = ignoreLines(request.dockerignore);
    return contextTree(run, request.context, { include: includedPaths(run.plan), exclude });
  }
  const named = request.namedContexts.get(from.toLowerCase());
  if (named?.kind === 'files') {
    return contextTree(run, named.context, { include: undefined, exclude: [] });
  }
  const index = named === undefined ? findStage(run.dockerfile.stages, from) : undefined;
  if (index !== undefined) {
    return layersTree(run, from, async () => topOf(await run.stage(index)));
  }
  const ref = named === undefined ? from : named.ref;
  return layersTree(run, ref, async () => {
    const image = await resolveBase(run, ref, run.platform);
    return image.chainIds.at(-1);
  });
}

/** Undefined when everything may be needed: by a variable, or by a mount of the whole context. */
function includedPaths({ needed }: StagePlan): readonly string[] | undefined {
  const wanted = needed.flatMap(({ stage }) => stage.instructions.map(pathsOf));
  return wanted.includes('everything') ? undefined : wanted.flat();
}

function pathsOf(instruction: StageInstruction): readonly string[] | 'everything' {
  if (instruction.kind === 'RUN') return instruction.mounts.length > 0 ? 'everything' : [];
  if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return [];
  if (instruction.from !== undefined) return [];
  const hasVariable = instruction.sources.some((source) => source.includes('$'));
  return hasVariable ? 'everything' : instruction.sources;
}
