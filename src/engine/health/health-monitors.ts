/** The health checks of running containers: one loop for each, asleep between probes. */
import type { ContainerId } from '../../shared/ids.ts';
import type { ContainerDeps, ContainerHealth } from '../containers/container-deps.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import { publishContainerEvent } from '../containers/container-events.ts';
import { liveStatus } from '../containers/container-status.ts';
import { afterProbe, type ProbeResult, probeDelayMs } from './health-record.ts';
import { type HealthSettings, healthSettings } from './health-settings.ts';
import { type ProbeDeps, runProbe } from './run-probe.ts';

export type HealthDeps = ProbeDeps & Pick<ContainerDeps, 'registry' | 'events'>;

export class HealthMonitors implements ContainerHealth {
  readonly #deps: HealthDeps;
  readonly #loops = new Map<ContainerId, AbortController>();

  constructor(deps: HealthDeps) {
    this.#deps = deps;
  }

  begin(id: ContainerId): void {
    this.end(id);
    const document = this.#deps.registry.tryGet(id);
    const settings = document === undefined ? undefined : healthSettings(document.config);
    if (settings === undefined) return;
    const loop = new AbortController();
    this.#loops.set(id, loop);
    this.#run(id, settings, loop.signal).catch((error: unknown) => {
      if (loop.signal.aborted) return;
      this.#deps.logger.error('a health check has stopped', { container: id, error });
    });
  }

  end(id: ContainerId): void {
    this.#loops.get(id)?.abort();
    this.#loops.delete(id);
  }

  close(): void {
    for (const id of [...this.#loops.keys()]) this.end(id);
  }

  async #run(id: ContainerId, settings: HealthSettings, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.clock.sleep(this.#delayMs(id, settings), signal);
      const document = this.#deps.registry.tryGet(id);
      if (signal.aborted || document === undefined) return;
      // A frozen container answers nothing, and that says nothing about its health.
      if (document.status.state === 'paused') continue;
      const result = await runProbe(this.#deps, document, settings);
      if (!signal.aborted) await this.#record(document, settings, result);
    }
  }

  #delayMs(id: ContainerId, settings: HealthSettings): number {
    const document = this.#deps.registry.tryGet(id);
    const status = document?.health?.status ?? 'starting';
    const startedAt = document === undefined ? '' : startOf(document);
    return probeDelayMs(status, this.#deps.clock.now() - Date.parse(startedAt), settings);
  }

  async #record(
    probed: ContainerDocument,
    settings: HealthSettings,
    result: ProbeResult,
  ): Promise<void> {
    const startedAt = startOf(probed);
    let before: string | undefined;
    const after = await this.#deps.registry.amend(probed.id, (document) => {
      const { health } = document;
      // The run that was probed may have ended meanwhile.
      if (health === undefined || startOf(document) !== startedAt) return document;
      before = health.status;
      return { ...document, health: afterProbe(health, result, { settings, startedAt }) };
    });
    const status = after.health?.status;
    if (before === undefined || status === before) return;
    publishContainerEvent(this.#deps, after, { action: `health_status: ${status}` });
  }
}

function startOf({ status }: ContainerDocument): string {
  return liveStatus(status)?.task.startedAt ?? '';
}
