/** The registry of a daemon that is told to ask none (`--offline`). */
import type { ImageReference } from '../oci/reference.ts';
import { familiarReference } from '../oci/reference.ts';
import { EngineError } from '../shared/errors.ts';
import type { Downloads } from './downloads.ts';
import type {
  ImageRegistry,
  PushTarget,
  RegistryLimit,
  Repository,
  SearchResult,
} from './image-registry.ts';

/** Every question is `unavailable`, with what is missing and what to do. */
export class OfflineRegistry implements ImageRegistry {
  repository(reference: ImageReference): Repository {
    throw offline(
      `image ${familiarReference(reference)} is not in the store`,
      'load it with "docker load", or start the daemon without --offline',
    );
  }

  limits(): readonly RegistryLimit[] {
    return [];
  }

  pushTarget(reference: ImageReference): PushTarget {
    throw offline(`${familiarReference(reference)} cannot be pushed`, RESTART);
  }

  async search(): Promise<readonly SearchResult[]> {
    throw offline('no index can be searched', RESTART);
  }

  async login(): Promise<{ status: string; identityToken: string }> {
    throw offline('no registry can be logged in to', RESTART);
  }
}

/** The web of such a daemon. */
export const OFFLINE_DOWNLOADS: Downloads = {
  async open(url) {
    throw offline(`${url.href} cannot be fetched`, RESTART);
  },
};

const RESTART = 'start the daemon without --offline';

function offline(what: string, cure: string): EngineError {
  return new EngineError('unavailable', `offline: ${what}, and nobody is asked: ${cure}`);
}
