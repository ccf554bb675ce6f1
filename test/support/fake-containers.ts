/** Containers in memory, for tests of the API. */
import type {
  AttachOptions,
  AttachSession,
  ContainerBackend,
  ContainerOutput,
  ContainerView,
  CreateContainerRequest,
  ListContainersOptions,
  LogsOptions,
  WaitCondition,
  WaitResult,
} from '../../src/api/backends.ts';
import type {
  ContainerDocument,
  ContainerStatus,
} from '../../src/engine/containers/container-document.ts';
import type { StatsOptions, StatsSample } from '../../src/engine/containers/container-stats.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { LogEntry } from '../../src/runtime/log-reader.ts';
import type { ProcessTable } from '../../src/runtime/task-observer.ts';
import type { TerminalSize } from '../../src/runtime/task-runner.ts';
import { EngineError } from '../../src/shared/errors.ts';
import { newContainerId } from '../../src/shared/ids.ts';
import type { HostConfig } from '../../src/wire/container-config.ts';
import { assertKnownFilters, type Filters } from '../../src/wire/filters.ts';
import { FakeProcess } from './fake-process.ts';
import { FAKE_USAGE } from './fake-usage.ts';

export const FAKE_TIME = '2024-05-06T07:08:09.123456789Z';
const IDENTITY = { pid: 42, startTicks: 1, bootId: 'boot' };

export interface FakeContainer {
  document: ContainerDocument;
  process: FakeProcess;
  size: TerminalSize | undefined;
}

export class FakeContainers implements ContainerBackend {
  readonly all = new Map<string, FakeContainer>();
  /** Requests under way that a client may abandon. */
  waiting = 0;

  create(request: CreateContainerRequest): Promise<{ id: string; warnings: readonly string[] }> {
    const { config, hostConfig, networkingConfig } = request;
    const image = config.Image ?? '';
    if (image === 'missing') throw new EngineError('not-found', `No such image: ${image}:latest`);
    const id = newContainerId();
    const name = (request.name ?? `fake-${id.slice(0, 6)}`).replace(/^\//, '');
    const document: ContainerDocument = {
      v: 1,
      id,
      name,
      createdAt: FAKE_TIME,
      imageRef: image,
      imageId: digestOf(image),
      parentChainId: null,
      config,
      hostConfig,
      endpointSettings: Object.fromEntries(
        Object.entries(networkingConfig.EndpointsConfig ?? {}).map(([network, settings]) => [
          network,
          settings ?? {},
        ]),
      ),
      mounts: [],
      runtimeName: 'crun',
      restartCount: 0,
      status: { state: 'created' },
    };
    const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
    this.all.set(id, { document, process: new FakeProcess(args), size: undefined });
    return Promise.resolve({ id, warnings: [] });
  }

  /** The container by id, prefix or name. */
  find(ref: string): FakeContainer {
    const name = ref.replace(/^\//, '');
    for (const container of this.all.values()) {
      const { document } = container;
      if (document.id.startsWith(name) || document.name === name) return container;
    }
    throw new EngineError('not-found', `No such container: ${ref}`);
  }

  async start(ref: string): Promise<'started' | 'already-running'> {
    const container = this.find(ref);
    if (container.document.status.state === 'running') return 'already-running';
    this.#setStatus(container, {
      state: 'running',
      task: {
        id: container.document.id,
        runtimeName: 'crun',
        init: IDENTITY,
        monitor: IDENTITY,
        startedAt: FAKE_TIME,
      },
      network: undefined,
    });
    void container.process.exit.then((exitCode) => {
      this.#setStatus(container, {
        state: 'exited',
        last: {
          exitCode,
          startedAt: FAKE_TIME,
          finishedAt: FAKE_TIME,
          oomKilled: false,
          error: '',
        },
      });
    });
    void container.process.run();
    return 'started';
  }

  async stop(ref: string): Promise<'stopped' | 'not-running'> {
    const container = this.find(ref);
    if (container.document.status.state !== 'running') return 'not-running';
    container.process.end(143);
    return 'stopped';
  }

  async restart(ref: string): Promise<void> {
    await this.stop(ref);
    await this.start(ref);
  }

  async kill(ref: string, signal: string | undefined): Promise<void> {
    const container = this.#running(ref);
    if (signal === 'NONSENSE')
      throw new EngineError('invalid-argument', 'invalid signal: NONSENSE');
    container.process.end(137);
  }

  async pause(ref: string): Promise<void> {
    this.#running(ref);
  }

  async unpause(ref: string): Promise<void> {
    this.find(ref);
  }

  async rename(ref: string, newName: string): Promise<void> {
    const container = this.find(ref);
    container.document = { ...container.document, name: newName };
  }

  async remove(ref: string, { force }: { force: boolean }): Promise<void> {
    const container = this.find(ref);
    if (container.document.status.state === 'running' && !force) {
      throw new EngineError('conflict', `cannot remove container "/${container.document.name}"`);
    }
    container.process.end(137);
    this.all.delete(container.document.id);
  }

  async removeLink(ref: string): Promise<void> {
    this.find(ref);
  }

  async wait(
    ref: string,
    _condition: WaitCondition,
    signal: AbortSignal,
  ): Promise<{ result: Promise<WaitResult> }> {
    const { process } = this.find(ref);
    this.waiting++;
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(new EngineError('cancelled', 'gone')));
    });
    const result = Promise.race([process.exit.then((exitCode) => ({ exitCode })), aborted]);
    return { result: result.finally(() => this.waiting--) };
  }

  async prune(filters: Filters): Promise<{ deleted: readonly string[]; reclaimedBytes: number }> {
    assertKnownFilters(filters, ['until', 'label', 'label!']);
    return { deleted: [], reclaimedBytes: 0 };
  }

  async list({ filters }: ListContainersOptions): Promise<readonly ContainerView[]> {
    assertKnownFilters(filters, ['label', 'name', 'since', 'before', 'status']);
    return [...this.all.values()].map((container) => this.#view(container));
  }

  async inspect(ref: string): Promise<ContainerView> {
    return this.#view(this.find(ref));
  }

  async top(ref: string, psArgs: string): Promise<ProcessTable> {
    this.#running(ref);
    return { titles: ['PID', 'CMD'], processes: [['42', `ps ${psArgs}`]] };
  }

  async stats(ref: string, { stream, oneShot }: StatsOptions): Promise<AsyncIterable<StatsSample>> {
    const { id, name, status } = this.find(ref).document;
    const usage = status.state === 'running' ? FAKE_USAGE : undefined;
    const previous = usage && !oneShot ? { readAt: FAKE_TIME, cpu: usage.cpu } : undefined;
    const sample = { id, name, readAt: FAKE_TIME, usage, previous };
    return listOf(stream ? [sample, sample] : [sample]);
  }

  async update(ref: string, change: HostConfig): Promise<{ warnings: readonly string[] }> {
    const container = this.find(ref);
    const { document } = container;
    container.document = { ...document, hostConfig: { ...document.hostConfig, ...change } };
    return { warnings: Object.keys(change) };
  }

  async attach(ref: string, options: AttachOptions, signal: AbortSignal): Promise<AttachSession> {
    const { document, process } = this.find(ref);
    if (options.detachKeys === 'bad') {
      throw new EngineError('invalid-argument', 'Invalid detach keys (bad) provided');
    }
    const subscription = process.subscribe();
    signal.addEventListener('abort', () => subscription.close());
    return {
      tty: document.config.Tty ?? false,
      output: subscription.output,
      ...(options.stdin && document.config.OpenStdin ? { stdin: process.stdin } : {}),
      close: async () => subscription.close(),
    };
  }

  async resize(ref: string, size: TerminalSize): Promise<void> {
    this.find(ref).size = size;
  }

  async logs(ref: string, options: LogsOptions): Promise<ContainerOutput> {
    const { document, process } = this.find(ref);
    const wanted = process.log.filter(({ stream }) => options[stream]);
    return {
      tty: document.config.Tty ?? false,
      entries: batches(wanted, process, options.follow),
      attributes: '',
    };
  }

  #running(ref: string): FakeContainer {
    const container = this.find(ref);
    if (container.document.status.state === 'running') return container;
    throw new EngineError('conflict', `container ${container.document.id} is not running`);
  }

  #setStatus(container: FakeContainer, status: ContainerStatus): void {
    container.document = { ...container.document, status };
  }

  #view({ document }: FakeContainer): ContainerView {
    return {
      document,
      links: [],
      linkNames: [],
      imageStillTagged: true,
      logPath: `/logs/${document.id}.log`,
      nameFiles: { hosts: '/hosts', hostname: '/hostname', resolvConf: '/resolv.conf' },
      pid: document.status.state === 'running' ? 42 : 0,
      execIds: [],
      graphDriver: { name: 'overlay', data: {} },
    };
  }
}

async function* listOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function* batches(
  entries: readonly LogEntry[],
  process: FakeProcess,
  follow: boolean,
): AsyncGenerator<readonly LogEntry[]> {
  if (entries.length > 0) yield entries;
  if (follow) await process.exit;
}
