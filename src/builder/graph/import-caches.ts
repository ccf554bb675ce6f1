/** Looks what caches of other places have, before a build begins. */
import { digestOf } from '../../oci/digest.ts';
import { messageOf } from '../../shared/errors.ts';
import type { BuildProgress } from '../build-progress.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import type { BuildRequest, CacheImport, RemoteCache } from '../solver.ts';

/** Those that can be had. What is wrong with the others is shown with their vertex, as with BuildKit. */
export async function importCaches(
  deps: Pick<BuilderDeps, 'clock' | 'logger'>,
  build: {
    readonly request: Pick<BuildRequest, 'cacheFrom' | 'noCache'>;
    readonly progress: BuildProgress;
  },
  signal: AbortSignal,
): Promise<readonly RemoteCache[]> {
  const { request, progress } = build;
  if (request.noCache === 'all') return [];
  const loading = request.cacheFrom.map(async (source) => {
    try {
      return await load(deps, { source, progress }, signal);
    } catch (error) {
      signal.throwIfAborted();
      deps.logger.warn('a cache could not be imported', { name: source.name, error });
      return [];
    }
  });
  return (await Promise.all(loading)).flat();
}

async function load(
  { clock }: Pick<BuilderDeps, 'clock'>,
  { source, progress }: { readonly source: CacheImport; readonly progress: BuildProgress },
  signal: AbortSignal,
): Promise<readonly RemoteCache[]> {
  const name = `importing cache manifest from ${source.name}`;
  const vertex = { digest: digestOf(name), name, inputs: [] };
  const startedAt = clock.nowIso();
  progress.vertex({ kind: 'started', vertex, at: startedAt });
  const end = (error?: string) =>
    progress.vertex({
      ...{ kind: 'completed', vertex, startedAt, at: clock.nowIso(), cached: false },
      ...(error === undefined ? {} : { error }),
    });
  try {
    const cache = await source.load(signal);
    end();
    return [cache];
  } catch (error) {
    end(messageOf(error));
    throw error;
  }
}
