/** `GET /containers/{id}/stats`. */
import type { CpuUsage, TaskUsage } from '../../runtime/task-observer.ts';
import { ZERO_TIME } from '../../shared/clock.ts';
import { kindOf } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { streamOfOneShot } from './container-errors.ts';
import { liveStatus } from './container-status.ts';

/** One measurement of a container. */
export interface StatsSample {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** RFC 3339; Docker's "never" when there was nothing to measure. */
  readonly readAt: string;
  /** Undefined when the container does not run. */
  readonly usage: TaskUsage | undefined;
  /** What the sample before said of the processors; undefined for the first one. */
  readonly previous: { readonly readAt: string; readonly cpu: CpuUsage } | undefined;
}

export interface StatsOptions {
  /** A sample each second until the container is removed. */
  readonly stream: boolean;
  /** Without `stream`: the first sample at once, instead of the second one, which has a previous one. */
  readonly oneShot: boolean;
}

type StatsDeps = Pick<ContainerDeps, 'registry' | 'observer' | 'clock'>;

const INTERVAL_MS = 1000;

/**
 * Samples of a container, running or not. Ends after one sample, or with `stream` when the container is removed
 * or `signal` aborts. Rejects at once with `not-found` and with `invalid-argument` for options that exclude each other.
 */
export async function containerStats(
  deps: StatsDeps,
  request: { readonly ref: string; readonly options: StatsOptions },
  signal: AbortSignal,
): Promise<AsyncIterable<StatsSample>> {
  const { stream, oneShot } = request.options;
  const { id } = deps.registry.resolve(request.ref);
  if (stream && oneShot) throw streamOfOneShot();
  const samples = takeSamples(deps, id, signal);
  if (stream) return samples;
  return oneShot ? firstOf(samples, () => true) : firstOf(samples, isFinal);
}

/** Whether another sample would not tell more. */
function isFinal({ usage, previous }: StatsSample): boolean {
  return usage === undefined || previous !== undefined;
}

async function* firstOf(
  samples: AsyncIterable<StatsSample>,
  accept: (sample: StatsSample) => boolean,
): AsyncGenerator<StatsSample> {
  for await (const sample of samples) {
    if (!accept(sample)) continue;
    yield sample;
    return;
  }
}

async function* takeSamples(
  deps: StatsDeps,
  id: ContainerId,
  signal: AbortSignal,
): AsyncGenerator<StatsSample> {
  let previous: StatsSample['previous'];
  while (!signal.aborted) {
    const document = deps.registry.tryGet(id);
    if (document === undefined) return;
    const usage = await measure(deps, document);
    const readAt = usage === undefined ? ZERO_TIME : deps.clock.nowIso();
    yield { id, name: document.name, readAt, usage, previous };
    previous = usage === undefined ? undefined : { readAt, cpu: usage.cpu };
    await deps.clock.sleep(INTERVAL_MS, signal);
  }
}

/** Undefined for a container without a process, also when it ends while it is looked at. */
async function measure(
  deps: StatsDeps,
  document: ContainerDocument,
): Promise<TaskUsage | undefined> {
  const live = liveStatus(document.status);
  if (live === undefined) return undefined;
  try {
    return await deps.observer.measure(live.task);
  } catch (error) {
    if (kindOf(error) === 'conflict') return undefined;
    throw error;
  }
}
