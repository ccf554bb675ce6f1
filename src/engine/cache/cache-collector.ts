/**
 * Keeps the caches within the limits of `builder.gc`, and clears them when a client asks. Every source is asked anew
 * for each step: what came into use meanwhile stays.
 */
import type { GcSettings } from '../../handshake/gc-settings.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CacheEntry, CacheSource } from '../../storage/cache-source.ts';
import { checkCacheFilters } from '../../wire/cache-filters.ts';
import type { CachePrune, CachePruned } from './cache-prune.ts';
import { chooseEvictions, type DiskSpace, type EvictionRule } from './choose-evictions.ts';

export interface CacheCollectorDeps {
  readonly sources: readonly CacheSource[];
  readonly settings: GcSettings;
  readonly diskSpace: () => Promise<DiskSpace>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type SourcedEntry = CacheEntry & { readonly source: CacheSource };

/** How often the limits are looked after when nothing happens: entries get old by themselves. */
const INTERVAL_MS = 60 * 60 * 1000;
/** So long after the last work on a cache its limits are looked after. */
const QUIET_MS = 60 * 1000;

export class CacheCollector {
  readonly #deps: CacheCollectorDeps;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(deps: CacheCollectorDeps) {
    this.#deps = deps;
  }

  /** Entries of all sources. */
  async usage(): Promise<readonly CacheEntry[]> {
    return await this.#entries();
  }

  /** To be called when something was put into a cache, and once at the start: collects when it is quiet. */
  nudge(): void {
    this.#schedule(QUIET_MS);
  }

  /** Applies the policies now; nothing where they are switched off. Resolves to the bytes that were freed. */
  async collect(): Promise<number> {
    if (!this.#deps.settings.enabled) return 0;
    let reclaimedBytes = 0;
    for (const policy of this.#deps.settings.policies) {
      reclaimedBytes += (await this.#apply(policy)).reclaimedBytes;
    }
    if (reclaimedBytes > 0) this.#deps.logger.info('cleared caches', { reclaimedBytes });
    return reclaimedBytes;
  }

  /** What a client asks for. `invalid-argument` for filters without meaning. */
  async prune({ filters = new Map(), ...rule }: CachePrune): Promise<CachePruned> {
    return await this.#apply({ keepDurationMs: 0, ...rule, filter: checkCacheFilters(filters) });
  }

  /** Waits for what runs; nothing begins after it. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #apply(policy: EvictionRule): Promise<CachePruned> {
    const ids: string[] = [];
    let reclaimedBytes = 0;
    // What others stand on goes only after them: another round finds it free.
    for (let isDone = false; !isDone; ) {
      const gone = await this.#evict(policy);
      ids.push(...gone.map(({ id }) => id));
      reclaimedBytes += gone.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      isDone = gone.length === 0;
    }
    return { ids, reclaimedBytes };
  }

  async #evict(policy: EvictionRule): Promise<readonly SourcedEntry[]> {
    const { sources, diskSpace, clock } = this.#deps;
    const now = { disk: await diskSpace(), nowMs: clock.now() };
    const chosen = chooseEvictions(await this.#entries(), policy, now);
    const gone: SourcedEntry[] = [];
    for (const source of sources) {
      const own = chosen.filter((entry) => entry.source === source);
      if (own.length === 0) continue;
      const ids = new Set(await source.evict(own.map(({ id }) => id)));
      gone.push(...own.filter(({ id }) => ids.has(id)));
    }
    return gone;
  }

  async #entries(): Promise<readonly SourcedEntry[]> {
    const lists = this.#deps.sources.map(async (source) =>
      (await source.entries()).map((entry): SourcedEntry => ({ ...entry, source })),
    );
    return (await Promise.all(lists)).flat();
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || !this.#deps.settings.enabled) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#running = this.collect()
        .catch((error: unknown) => {
          this.#deps.logger.warn('caches could not be cleared', { error });
        })
        .finally(() => this.#schedule(INTERVAL_MS));
    }, delayMs);
    this.#timer.unref();
  }
}
