/** Which stages are needed, and what each of them waits for. */

import { buildError, parseError, placed, suggestion } from '../../dockerfile/dockerfile-errors.ts';
import { expandWord } from '../../dockerfile/expand-word.ts';
import type { Dockerfile, Stage } from '../../dockerfile/instruction.ts';
import type { Platform } from '../../oci/platform.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { EngineError } from '../../shared/errors.ts';

/** What a stage begins with. */
export type StageBase =
  | { readonly kind: 'scratch' }
  | { readonly kind: 'stage'; readonly index: number }
  | { readonly kind: 'named'; readonly name: string; readonly platform: Platform }
  | { readonly kind: 'image'; readonly ref: string; readonly platform: Platform };

export interface PlannedStage {
  readonly stage: Stage;
  readonly base: StageBase;
  readonly platform: Platform;
  /** Stages that it begins with, copies from or mounts. */
  readonly dependsOn: readonly number[];
}

export interface StagePlan {
  readonly target: number;
  /** In the order of the Dockerfile. */
  readonly needed: readonly PlannedStage[];
}

export interface PlanInput {
  readonly dockerfile: Dockerfile;
  readonly target: string | undefined;
  readonly platform: Platform;
  readonly globals: ReadonlyMap<string, string | undefined>;
  readonly namedContexts: ReadonlySet<string>;
}

/** `invalid-argument` for a target that does not exist, an empty base name and stages that wait for each other. */
export function planStages(input: PlanInput): StagePlan {
  const target = findTarget(input.dockerfile, input.target);
  const planned = input.dockerfile.stages.map((stage) => planStage(input, stage));
  const needed = new Set<number>();
  visit(target, { planned, needed, path: [] });
  return { target, needed: planned.filter(({ stage }) => needed.has(stage.index)) };
}

function findTarget({ stages }: Dockerfile, target: string | undefined): number {
  if (target === undefined || target === '') return stages.length - 1;
  const index = findStage(stages, target);
  if (index !== undefined) return index;
  const names = stages.flatMap(({ name }) => name ?? []);
  throw new EngineError(
    'invalid-argument',
    `target stage "${target}" could not be found${suggestion(target.toLowerCase(), names)}`,
  );
}

/** The last stage of that name, else the one of that number. */
export function findStage(stages: readonly Stage[], ref: string): number | undefined {
  const named = stages.findLast(({ name }) => name === ref.toLowerCase());
  if (named !== undefined) return named.index;
  return /^\d+$/.test(ref) ? stages[Number(ref)]?.index : undefined;
}

function planStage(input: PlanInput, stage: Stage): PlannedStage {
  const { base, platform } = planBase(input, stage);
  const dependsOn = stage.instructions.flatMap((instruction) => {
    const refs = sourcesOf(instruction);
    return refs.flatMap((ref) => {
      if (input.namedContexts.has(ref.toLowerCase())) return [];
      const index = findStage(input.dockerfile.stages, ref);
      if (index === undefined && /^\d+$/.test(ref)) {
        throw parseError(instruction.range, `invalid stage index ${ref}`);
      }
      return index ?? [];
    });
  });
  const first = base.kind === 'stage' ? [base.index] : [];
  return { stage, base, platform, dependsOn: [...new Set([...first, ...dependsOn])] };
}

function sourcesOf(instruction: Stage['instructions'][number]): readonly string[] {
  if (instruction.kind === 'COPY') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'RUN') return [];
  return instruction.mounts.flatMap((mount) => /(?:^|,)\s*from=([^,]+)/i.exec(mount)?.[1] ?? []);
}

function planBase(input: PlanInput, stage: Stage): Pick<PlannedStage, 'base' | 'platform'> {
  const { from } = stage;
  const expand = (word: string) => {
    try {
      const { escapeChar } = input.dockerfile;
      return expandWord(word, { lookup: (name) => input.globals.get(name), escapeChar });
    } catch (error) {
      throw placed(error, from.range);
    }
  };
  const platform = platformOf(input, from.platform && expand(from.platform), stage);
  const ref = expand(from.image);
  if (ref === '') {
    throw parseError(from.range, `base name (${from.image}) should not be blank`);
  }
  if (input.namedContexts.has(ref.toLowerCase())) {
    return { base: { kind: 'named', name: ref.toLowerCase(), platform }, platform };
  }
  const earlier = input.dockerfile.stages.slice(0, stage.index);
  const named = earlier.findLast(({ name }) => name === ref.toLowerCase());
  if (named !== undefined) return { base: { kind: 'stage', index: named.index }, platform };
  if (ref === 'scratch') return { base: { kind: 'scratch' }, platform };
  return { base: { kind: 'image', ref, platform }, platform };
}

function platformOf({ platform }: PlanInput, text: string | undefined, { from }: Stage): Platform {
  if (text === undefined || text === '') return platform;
  const parsed = parsePlatform(text, platform);
  if (parsed !== undefined) return parsed;
  throw parseError(
    from.range,
    `failed to parse platform ${text}: "${text}" is an invalid component`,
  );
}

interface Visit {
  readonly planned: readonly PlannedStage[];
  readonly needed: Set<number>;
  readonly path: readonly number[];
}

function visit(index: number, { planned, needed, path }: Visit): void {
  const plan = planned[index];
  if (plan === undefined) return;
  if (path.includes(index)) {
    const { name, from } = plan.stage;
    throw buildError(from.range, `circular dependency detected on stage: ${name ?? index}`);
  }
  if (needed.has(index)) return;
  for (const next of plan.dependsOn) visit(next, { planned, needed, path: [...path, index] });
  needed.add(index);
}
