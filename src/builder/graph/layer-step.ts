/** A step of a stage that makes a layer. */
import { chainIdOn } from '../../oci/chain-id.ts';
import type { Digest } from '../../oci/digest.ts';
import { invariant } from '../../shared/errors.ts';
import type { LayerWork, NewLayer, StepLog } from '../cache/layer-cache.ts';
import { fetchStep } from '../cache/remote/fetch-step.ts';
import type { BuiltLayer } from '../solver.ts';
import type { BuildRun } from './build-run.ts';
import { type StageState, stateIdOf, topOf, withLayer } from './stage-state.ts';
import type { StepOutcome, StepReporter } from './step-reporter.ts';

export interface StageRun {
  readonly run: BuildRun;
  readonly reporter: StepReporter;
  /** Nothing of this stage comes from the cache. */
  readonly ignoresCache: boolean;
}

export interface LayerStep {
  readonly key: Digest;
  readonly text: string;
  readonly createdBy: string;
  /** What the layer is made on; undefined for one that stands on nothing. */
  readonly parent: Digest | undefined;
  make(log: (log: StepLog) => void, signal: AbortSignal): Promise<NewLayer>;
}

/** Takes the layer from the cache or makes it, and puts it on top of `state`. */
export async function layerStep(
  { run, ignoresCache }: StageRun,
  state: StageState,
  { step, log }: { readonly step: LayerStep; readonly log: (log: StepLog) => void },
): Promise<StepOutcome<StageState>> {
  const { key, parent } = step;
  const layerWork: LayerWork = {
    ...{ key, description: step.text, parents: [], useCache: !ignoresCache, make: step.make },
    fetch: (signal) => fetchStep(run, { key, parent }, signal),
  };
  const made = await run.deps.cache.layer(layerWork, { onLog: log, signal: run.signal });
  run.hold(() => made.release());
  run.owe(made.stored);
  const below = topOf(state);
  const { layer } = made;
  const placed =
    layer === undefined || parent === below
      ? layer
      : await placeOn(run, below, { layer, stored: made.stored });
  const next = withLayer(state, { layer: placed, created: made.created }, step.createdBy);
  const own = layer === undefined ? [] : [layer];
  const layers = parent === below ? next.layers : own;
  run.note({ key, layers, created: made.created });
  return { value: next, cached: made.cached, stateId: stateIdOf(next) };
}

/** The same layer on another one: its blob is unpacked once more, unless that was done before. */
async function placeOn(
  run: BuildRun,
  parent: Digest | undefined,
  { layer, stored }: { readonly layer: BuiltLayer; readonly stored: Promise<void> },
): Promise<BuiltLayer> {
  const chainId = chainIdOn(parent, layer.diffId);
  await stored;
  const placed = { ...layer, chainId, parent };
  run.hold(await run.deps.images.fetchLayer(placed, inStore, run.signal));
  return { ...layer, chainId };
}

function inStore(): never {
  invariant(false, 'the blob of a layer that was made is in the store');
}
