/** The verbs of containers, bound to what they work with. */
import type {
  AttachOptions,
  ContainerBackend,
  CreateContainerRequest,
  ListContainersOptions,
  LogsOptions,
  WaitCondition,
} from '../../api/backends.ts';
import type { TerminalSize } from '../../runtime/task-runner.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { Filters } from '../../wire/filters.ts';
import { attachContainer } from './attach-container.ts';
import type { ContainerDeps } from './container-deps.ts';
import { containerLogs } from './container-logs.ts';
import { containerStats, type StatsOptions } from './container-stats.ts';
import { inspectContainer, listContainers, type ViewDeps } from './container-view.ts';
import { createContainer } from './create-container.ts';
import { killContainer } from './kill-container.ts';
import { pauseContainer, unpauseContainer } from './pause-container.ts';
import { pruneContainers } from './prune-containers.ts';
import { removeContainer } from './remove-container.ts';
import { removeLink } from './remove-link.ts';
import { renameContainer } from './rename-container.ts';
import { resizeContainer } from './resize-container.ts';
import { startContainer } from './start-container.ts';
import { restartContainer, type StopOptions, stopContainer } from './stop-container.ts';
import { topContainer } from './top-container.ts';
import { updateContainer } from './update-container.ts';
import { waitContainer } from './wait-container.ts';

export class ContainerService implements ContainerBackend {
  readonly #deps: ContainerDeps & ViewDeps;

  constructor(deps: ContainerDeps & ViewDeps) {
    this.#deps = deps;
  }

  create(request: CreateContainerRequest) {
    return createContainer(this.#deps, request);
  }

  start(ref: string) {
    return startContainer(this.#deps, ref);
  }

  stop(ref: string, options: StopOptions) {
    return stopContainer(this.#deps, ref, options);
  }

  restart(ref: string, options: StopOptions) {
    return restartContainer(this.#deps, ref, options);
  }

  kill(ref: string, signal: string | undefined) {
    return killContainer(this.#deps, ref, signal);
  }

  pause(ref: string) {
    return pauseContainer(this.#deps, ref);
  }

  unpause(ref: string) {
    return unpauseContainer(this.#deps, ref);
  }

  rename(ref: string, newName: string) {
    return renameContainer(this.#deps, ref, newName);
  }

  remove(ref: string, options: { force: boolean; volumes: boolean }) {
    return removeContainer(this.#deps, ref, options);
  }

  removeLink(ref: string) {
    return removeLink(this.#deps, ref);
  }

  async wait(ref: string, condition: WaitCondition, signal: AbortSignal) {
    return waitContainer(this.#deps, { ref, condition }, signal);
  }

  prune(filters: Filters) {
    return pruneContainers(this.#deps, filters);
  }

  list(options: ListContainersOptions) {
    return listContainers(this.#deps, options);
  }

  inspect(ref: string, options: { size: boolean }) {
    return inspectContainer(this.#deps, ref, options);
  }

  attach(ref: string, options: AttachOptions, signal: AbortSignal) {
    return attachContainer(this.#deps, { ref, options }, signal);
  }

  resize(ref: string, size: TerminalSize) {
    return resizeContainer(this.#deps, ref, size);
  }

  top(ref: string, psArgs: string) {
    return topContainer(this.#deps, ref, psArgs);
  }

  stats(ref: string, options: StatsOptions, signal: AbortSignal) {
    return containerStats(this.#deps, { ref, options }, signal);
  }

  update(ref: string, change: HostConfig) {
    return updateContainer(this.#deps, ref, change);
  }

  logs(ref: string, options: LogsOptions, signal: AbortSignal) {
    return containerLogs(this.#deps, { ref, options }, signal);
  }
}
