/** Port: the classic builder of Docker's API, `POST /build`. */

import type { BuildQuery } from '../wire/build-query.ts';
import type { ProgressMessage } from '../wire/json-stream.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

/** The query and headers of a build. */
export interface ClassicBuildRequest extends BuildQuery {
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
