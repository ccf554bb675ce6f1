/** Port: the classic builder of Docker's API, `POST /build`. */

import type { Resources } from '../wire/container-config.ts';
import type { ProgressMessage } from '../wire/json-stream.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

/** The query and headers of a build. */
export interface ClassicBuildRequest {
  /** Path in the context. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  /** Git repository or URL that the context comes from, instead of the body. */
  readonly remote: string | undefined;
  /** Nothing is told but the image's id. */
  readonly quiet: boolean;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly removeContainers: boolean;
  /** True when the result is asked for elsewhere than in the image store. */
  readonly hasOutputs: boolean;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platform: string | undefined;
  readonly networkMode: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes: number | undefined;
  readonly resources: Resources;
  readonly securityOpt: readonly string[];
  /** Images that may carry a cache in their config. */
  readonly cacheFrom: readonly string[];
  /** By the name of the registry. */
  readonly credentials: ReadonlyMap<string, RegistryCredentials>;
}

export interface ClassicBuilds {
  /**
   * Reads the whole body, then builds while the result is read; stops when the reader leaves or `signal` aborts. Rejects, or
   * fails before its first line, for mistakes in the request and in the Dockerfile.
   */
  build(
    request: ClassicBuildRequest,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<ProgressMessage>>;
}
