/** Makes the state of a build for one platform. */
import { posix } from 'node:path';
import type { StageInstruction } from '../../dockerfile/instruction.ts';
import { parseTrigger } from '../../dockerfile/parse-dockerfile.ts';
import type { SourceRange } from '../../dockerfile/source-place.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';
import { canonicalReference } from '../../oci/reference.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { BaseImage } from '../build-images.ts';
import type { SourceTree } from '../contexts/source-tree.ts';
import { contextTree, layersTree } from '../contexts/source-trees.ts';
import { ignoreLines } from '../patterns/path-patterns.ts';
import type { CachedStep, Material } from '../solver.ts';
import type { BuildRun } from './build-run.ts';
import { findStage, type PlannedStage, planStages } from './plan-stages.ts';
import { resolveBase } from './resolve-base.ts';
import { resolveStageBase, runStage } from './run-stage.ts';
import { type StageState, topOf } from './stage-state.ts';
import { StepReporter } from './step-reporter.ts';
import { globalArgs, platformArgs } from './variables.ts';

/** What builds for several platforms share. */
export type RunParts = Pick<
  BuildRun,
  | 'deps'
  | 'cacheMounts'
  | 'digests'
  | 'request'
  | 'dockerfile'
  | 'progress'
  | 'signal'
  | 'hold'
  | 'caches'
>;

/** A build for one platform. */
export interface OpenedRun {
  readonly run: BuildRun;
  /** Steps that have their results. */
  readonly steps: readonly CachedStep[];
  readonly materials: readonly Material[];
  /** Resolves when everything that the result needs is durable. */
  finish(): Promise<void>;
}

export function openRun(parts: RunParts, platform: Platform, undo: CleanupStack): OpenedRun {
  const { request, dockerfile, deps } = parts;
  const predefined = platformArgs(deps.platform, platform);
  const globals = globalArgs(dockerfile, { buildArgs: request.buildArgs, predefined });
  const plan = planStages({
    ...{ dockerfile, platform, globals },
    target: request.target,
    namedContexts: new Set(request.namedContexts.keys()),
  });
  const owed: Promise<void>[] = [];
  const steps: CachedStep[] = [];
  const materials: Material[] = [];
  const stages = new Map<number, Promise<StageState>>();
  const trees = new Map<string, SourceTree>();
  const images = new Map<string, Promise<BaseImage>>();
  const bases = new Map<number, Promise<BaseImage>>();
  const run: BuildRun = {
    ...parts,
    ...{ plan, globals, platform },
    note: (step) => steps.push(step),
    noteMaterial: (material) => {
      const name = canonicalReference(material.reference);
      if (!materials.some(({ reference }) => canonicalReference(reference) === name)) {
        materials.push(material);
      }
    },
    owe: (stored) => owed.push(stored),
    defer: (step) => undo.defer(step),
    image: (ref, wanted) => {
      const key = `${ref} ${formatPlatform(wanted)}`;
      const begun = images.get(key) ?? resolveBase(run, ref, wanted);
      images.set(key, begun);
      return begun;
    },
    baseImage: (planned) => {
      const { index } = planned.stage;
      const begun = bases.get(index) ?? resolveStageBase(run, planned);
      bases.set(index, begun);
      return begun;
    },
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
  return { run, steps, materials, finish: async () => void (await Promise.all(owed)) };
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
    return contextTree(run, request.context, { include: () => includedPaths(run), exclude });
  }
  const named = request.namedContexts.get(from.toLowerCase());
  if (named?.kind === 'files') {
    return contextTree(run, named.context, { include: async () => undefined, exclude: [] });
  }
  const index = named === undefined ? findStage(run.dockerfile.stages, from) : undefined;
  if (index !== undefined) {
    return layersTree(run, from, async () => topOf(await run.stage(index)));
  }
  const ref = named === undefined ? from : named.ref;
  return layersTree(run, ref, async () => {
    const image = await run.image(ref, run.platform);
    return image.chainIds.at(-1);
  });
}

/** Undefined when everything may be needed: by a variable, or by a mount of the whole context. */
async function includedPaths(run: BuildRun): Promise<readonly string[] | undefined> {
  const wanted = await Promise.all(
    run.plan.needed.map(async (planned) => {
      const { instructions, from } = planned.stage;
      const triggers = (await triggersOf(run, planned)).map((text) =>
        parseTrigger(text, from.range),
      );
      return [...triggers, ...instructions].map((one) => pathsOf(one, from.range));
    }),
  );
  const all = wanted.flat();
  return all.includes('everything') ? undefined : all.flat();
}

/** Those of images; the ones of stages are among their instructions. */
async function triggersOf(run: BuildRun, planned: PlannedStage): Promise<readonly string[]> {
  const { kind } = planned.base;
  if (kind !== 'image' && kind !== 'named') return [];
  return (await run.baseImage(planned)).config.config?.OnBuild ?? [];
}

function pathsOf(
  instruction: StageInstruction,
  range: SourceRange,
): readonly string[] | 'everything' {
  if (instruction.kind === 'RUN') return instruction.mounts.length > 0 ? 'everything' : [];
  if (instruction.kind === 'ONBUILD') {
    return pathsOf(parseTrigger(instruction.trigger, range), range);
  }
  if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return [];
  if (instruction.from !== undefined) return [];
  const hasVariable = instruction.sources.some((source) => source.includes('$'));
  if (hasVariable) return 'everything';
  const paths = instruction.sources.map((source) => posix.join('/', source).slice(1));
  return paths.includes('') ? 'everything' : paths;
}
