/** What a stage is after some of its instructions. Never changed: each instruction makes the next one. */
import { type Digest, digestOf } from '../../oci/digest.ts';
import type { ImageConfig, ImageHistory, ImageRunConfig } from '../../oci/image-spec.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BaseImage } from '../build-images.ts';
import type { BuiltLayer } from '../solver.ts';

export interface StageState {
  readonly platform: Platform;
  /** Bottom first. */
  readonly layers: readonly BuiltLayer[];
  readonly baseLayers: number;
  /** Entries of the history that the base image brought. */
  readonly baseHistory: number;
  readonly config: ImageRunConfig;
  readonly history: readonly ImageHistory[];
  readonly author: string | undefined;
  /** Of the newest layer, else of the base image. RFC 3339. */
  readonly created: string | undefined;
  /** ARGs in scope; undefined for declared ones without a value. */
  readonly args: ReadonlyMap<string, string | undefined>;
  /** CMD was given in this stage, so that ENTRYPOINT leaves it. */
  readonly hasOwnCommand: boolean;
}

/** Marks entries of the history as BuildKit does. */
const HISTORY_COMMENT = 'buildkit.dockerfile.v0';
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `FROM scratch`. */
export function emptyState(platform: Platform): StageState {
  return {
    platform,
    layers: [],
    baseLayers: 0,
    baseHistory: 0,
    config: { Env: [DEFAULT_PATH], WorkingDir: '/' },
    history: [],
    author: undefined,
    created: undefined,
    args: new Map(),
    hasOwnCommand: false,
  };
}

/** `FROM` an image. */
export function stateOfImage({ config, layers, chainIds }: BaseImage): StageState {
  const { os, architecture, variant } = config;
  const diffIds = config.rootfs.diff_ids;
  const run = config.config ?? {};
  return {
    platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    layers: layers.map((descriptor, index) => ({
      descriptor,
      diffId: diffIds[index] as Digest,
      chainId: chainIds[index] as Digest,
    })),
    baseLayers: layers.length,
    baseHistory: (config.history ?? diffIds).length,
    config: { ...run, Env: (run.Env ?? []).length === 0 ? [DEFAULT_PATH] : (run.Env ?? []) },
    // An image without a history has had one step for each layer.
    history: config.history ?? diffIds.map((): ImageHistory => ({})),
    author: config.author,
    created: config.created,
    args: new Map(),
    hasOwnCommand: false,
  };
}

/** `FROM` another stage: its arguments are not seen here. */
export function stateOfStage(other: StageState): StageState {
  return { ...other, args: new Map(), hasOwnCommand: false };
}

export function topOf(state: StageState): Digest | undefined {
  return state.layers.at(-1)?.chainId;
}

/** The state after an instruction that changes settings only. */
export function withConfig(
  state: StageState,
  change: Partial<StageState>,
  createdBy: string,
): StageState {
  const { created } = state;
  const entry: ImageHistory = {
    ...(created === undefined ? {} : { created }),
    created_by: createdBy,
    comment: HISTORY_COMMENT,
    empty_layer: true,
  };
  return { ...state, ...change, history: [...state.history, entry] };
}

/** The state after an instruction that wrote files; without a layer when it wrote none. */
export function withLayer(
  state: StageState,
  made: { readonly layer: BuiltLayer | undefined; readonly created: string },
  createdBy: string,
): StageState {
  const entry = { created: made.created, created_by: createdBy, comment: HISTORY_COMMENT };
  if (made.layer === undefined) {
    return { ...state, history: [...state.history, { ...entry, empty_layer: true }] };
  }
  return {
    ...state,
    layers: [...state.layers, made.layer],
    created: made.created,
    history: [...state.history, entry],
  };
}

/** The image config of a state. */
export function toImageConfig(state: StageState, labels: ReadonlyMap<string, string>): ImageConfig {
  const { platform, created, author, config, layers, history } = state;
  const allLabels = { ...config.Labels, ...Object.fromEntries(labels) };
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
    config: { ...config, ...(Object.keys(allLabels).length > 0 ? { Labels: allLabels } : {}) },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history,
  };
}

/** The id that an image of this state has. */
export function stateIdOf(state: StageState): Digest {
  return digestOf(JSON.stringify(toImageConfig(state, new Map())));
}
