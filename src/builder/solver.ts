/**
 * Port: builds images from Dockerfiles. One solver stands behind two doors, the classic `POST /build` and BuildKit's
 * gRPC: they make a `BuildRequest` and decide what becomes of the result.
 */

import type { BuildWarning } from '../dockerfile/source-place.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, ImageConfig } from '../oci/image-spec.ts';
import type { Platform } from '../oci/platform.ts';
import type { ImageReference } from '../oci/reference.ts';
import type { HostConfig, Resources } from '../wire/container-config.ts';
import type { BuildContext } from './build-context.ts';
import type { CredentialsFor, PullPolicy } from './build-images.ts';
import type { BuildProgress } from './build-progress.ts';
import type { ImportedSteps } from './cache/remote/cache-config.ts';

/** The text that is built. */
export interface DockerfileSource {
  /** Shown in messages: `Dockerfile`, `docker/Dockerfile.dev`. */
  readonly name: string;
  readonly text: string;
}

/** Gives a secret's bytes for a RUN; undefined when the client has none of that name. Never stored, never logged. */
export type SecretProvider = (id: string, signal: AbortSignal) => Promise<Uint8Array | undefined>;

/** Makes a socket at `path` that leads to the client's ssh agent; undefined when it forwards none of that id. */
export type SshForwarder = (
  id: string,
  path: string,
  signal: AbortSignal,
) => Promise<{ close(): Promise<void> } | undefined>;

/** What instructions without their own say get. */
export interface RunSettings {
  /** `default`, `none`, `host`, or a network's name where the door allows it. */
  readonly networkMode: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes: number | undefined;
  /** Limits, ulimits, control group parent. */
  readonly resources: Resources & Pick<HostConfig, 'Ulimits'>;
  readonly securityOpt: readonly string[];
}

/** A cache of another place. */
export interface RemoteCache {
  readonly steps: ImportedSteps;
  /** The bytes of one of its layers. */
  openBlob(blob: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Where results of other machines' builds are looked for. A cache that cannot be had is no failure of the build. */
export interface CacheImport {
  /** As it is shown: an image's name, a directory. */
  readonly name: string;
  load(signal: AbortSignal): Promise<RemoteCache>;
}

export interface BuildRequest {
  readonly dockerfile: DockerfileSource;
  /** Contents of `<Dockerfile>.dockerignore` or `.dockerignore`; empty when there is none. */
  readonly dockerignore: string;
  /** Stage to build; the last one when undefined. */
  readonly target: string | undefined;
  /** Values of ARG, those of proxies included. Undefined: declared, but taken from nowhere. */
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Added to the image's labels. */
  readonly labels: ReadonlyMap<string, string>;
  /** One result for each; this machine's own when empty. */
  readonly platforms: readonly Platform[];
  /** `all`, or names of stages that are built anew. */
  readonly noCache: 'none' | 'all' | readonly string[];
  readonly context: BuildContext;
  /** By name in lower case: what FROM, COPY --from and RUN --mount from= may mean before stages and images. */
  readonly namedContexts: ReadonlyMap<string, NamedContext>;
  readonly secrets: SecretProvider;
  readonly ssh: SshForwarder;
  readonly pull: PullPolicy;
  readonly credentialsFor: CredentialsFor;
  readonly run: RunSettings;
  /** Grants for `RUN --security=insecure` and `--network=host`. */
  readonly entitlements: ReadonlySet<'security.insecure' | 'network.host'>;
  /** Seconds since 1970 that stand in for all times of new files, layers and the config; undefined: the present. */
  readonly sourceDateEpoch: number | undefined;
  readonly cacheFrom: readonly CacheImport[];
  /** Stands in for what the Dockerfile has as `# check=`. */
  readonly check?: string | undefined;
}

/** What a named context stands for. */
export type NamedContext =
  | { readonly kind: 'files'; readonly context: BuildContext }
  | { readonly kind: 'image'; readonly ref: string };

/** A layer of the result, in the store as a blob and as files. */
export interface BuiltLayer {
  /** Of the blob. Layers made here are plain tar. */
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
}

/** A step of a build as a cache has it. */
export interface CachedStep {
  /** Stands for everything that the result depends on. */
  readonly key: Digest;
  /** All layers after the step, bottom first. */
  readonly layers: readonly BuiltLayer[];
  /** When its result was made. RFC 3339. */
  readonly created: string;
}

/** An image that a build has used. */
export interface Material {
  readonly reference: ImageReference;
  readonly digest: Digest;
}

export interface BuiltImage {
  readonly platform: Platform;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly BuiltLayer[];
  /** Which of the layers come from a base image, counted from the bottom. */
  readonly baseLayers: number;
  /** Images that it was made from, each once. */
  readonly materials: readonly Material[];
  /** Of all stages that were needed. */
  readonly steps: readonly CachedStep[];
}

/** What was built; nothing of it is swept until `release`. */
export interface BuildResult {
  /** In the order of the request's platforms. */
  readonly images: readonly BuiltImage[];
  readonly warnings: readonly BuildWarning[];
  /** Names of the client's ARGs that no stage has declared. */
  readonly unusedArgs: readonly string[];
  /** Idempotent. */
  release(): void;
}

/** What lint looks at. */
export type LintableBuild = Pick<BuildRequest, 'dockerfile' | 'dockerignore' | 'check'>;

export interface Solver {
  /**
   * Builds. Rejects with `invalid-argument` for mistakes in the Dockerfile (the message has the place in BuildKit's
   * form), `cancelled` once `signal` aborts, and with the failed step's message otherwise; nothing is left then but
   * cached results of steps that succeeded.
   */
  solve(request: BuildRequest, progress: BuildProgress, signal: AbortSignal): Promise<BuildResult>;
  /** Lint warnings alone; nothing is built. Rejects for syntax errors. */
  lint(build: LintableBuild): readonly BuildWarning[];
}
