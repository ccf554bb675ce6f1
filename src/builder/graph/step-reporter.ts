/** Tells of the steps of one stage: as vertexes, the way BuildKit names them, and as steps, the way Docker counts them. */

import { placed } from '../../dockerfile/dockerfile-errors.ts';
import type { Place } from '../../dockerfile/instruction.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { BuildProgress, BuildStep, Vertex } from '../build-progress.ts';
import type { StepLog } from '../cache/layer-cache.ts';

/** How a step ended. */
export interface StepOutcome<T> {
  readonly value: T;
  readonly cached: boolean;
  /** Stands for the state after it. */
  readonly stateId: Digest | undefined;
}

export interface StageNaming {
  /** Name or `stage-1`; empty when there is only one stage. */
  readonly name: string;
  readonly index: number;
  /** How many vertexes the stage has. */
  readonly vertexes: number;
  /** Number of its first step among all steps. */
  readonly firstStep: number;
  readonly totalSteps: number;
  /** Makes vertexes of several platforms and builds differ. */
  readonly salt: string;
}

/** A step that is shown as a vertex, perhaps in words of its own. */
export type ShownStep = Place & { readonly vertexText?: string };

export class StepReporter {
  readonly #progress: BuildProgress;
  readonly #clock: Clock;
  readonly #naming: StageNaming;
  #vertexes = 0;
  #steps = 0;
  #last: readonly Digest[] = [];

  constructor(progress: BuildProgress, clock: Clock, naming: StageNaming) {
    this.#progress = progress;
    this.#clock = clock;
    this.#naming = naming;
  }

  /** Runs a step that is shown as a vertex, and tells of it. Errors get the place of the instruction. */
  async vertexStep<T>(
    shown: ShownStep,
    work: (log: (log: StepLog) => void) => Promise<StepOutcome<T>>,
  ): Promise<T> {
    const step = this.#begin(shown);
    const vertex = this.#vertex(shown.vertexText ?? shown.text);
    const startedAt = this.#clock.nowIso();
    this.#progress.vertex({ kind: 'started', vertex, at: startedAt });
    const completed = (cached: boolean, error?: string) =>
      this.#progress.vertex({
        ...{ kind: 'completed', vertex, startedAt, cached, at: this.#clock.nowIso() },
        ...(error === undefined ? {} : { error }),
      });
    const log = (entry: StepLog) => {
      const line = { vertex: vertex.digest, ...entry };
      this.#progress.log(line);
      if (step !== undefined) this.#progress.stepOutput(step, line);
    };
    try {
      const { value, ...end } = await work(log);
      completed(end.cached);
      if (step !== undefined) this.#progress.stepEnded({ step, ...end });
      return value;
    } catch (error) {
      const failure = placed(error, shown.range);
      completed(false, messageOf(failure));
      throw failure;
    }
  }

  /** A step that changes settings: it has no vertex. */
  settingStep<T>(shown: Place, work: () => StepOutcome<T>): T {
    const step = this.#begin(shown);
    try {
      const { value, ...end } = work();
      if (step !== undefined) this.#progress.stepEnded({ step, ...end });
      return value;
    } catch (error) {
      throw placed(error, shown.range);
    }
  }

  /** Undefined for a trigger, which is part of the step of FROM. */
  #begin({ text, isTrigger }: Place): BuildStep | undefined {
    if (isTrigger === true) return undefined;
    const { firstStep, totalSteps, index } = this.#naming;
    const step = { number: firstStep + this.#steps++, total: totalSteps, text, stage: index };
    this.#progress.stepStarted(step);
    return step;
  }

  #vertex(text: string): Vertex {
    const { name, vertexes, salt, index } = this.#naming;
    const number = ++this.#vertexes;
    const place = `${name === '' ? '' : `${name} `}${number}/${Math.max(number, vertexes)}`;
    const digest = digestOf(`${salt} ${index} ${number} ${text}`);
    const vertex = { digest, name: `[${place}] ${text}`, inputs: this.#last };
    this.#last = [digest];
    return vertex;
  }
}
