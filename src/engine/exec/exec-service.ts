/** Exec sessions: extra processes in running containers. Kept in memory, as dockerd keeps them. */
import type { AttachSession, ExecBackend } from '../../api/backends.ts';
import type { ExecHandle, TerminalSize } from '../../runtime/task-runner.ts';
import { type ContainerId, type ExecId, newExecId } from '../../shared/ids.ts';
import { parseDetachKeys } from '../../wire/detach-keys.ts';
import { noExecCommand } from '../../wire/wire-errors.ts';
import { ClientStdin } from '../containers/client-stdin.ts';
import type { ContainerDeps } from '../containers/container-deps.ts';
import {
  isPaused,
  isRestartingNow,
  notRunning,
  startExitCode,
} from '../containers/container-errors.ts';
import { publishContainerEvent } from '../containers/container-events.ts';
import { isRestarting, isRunning, liveStatus } from '../containers/container-status.ts';
import type { CreateExecRequest } from './create-exec-request.ts';
import type { ExecDocument, ExecStatus } from './exec-document.ts';
import { execAlreadyStarted, execHasRun, execNotRunning, noSuchExec } from './exec-errors.ts';
import { launchExec } from './launch-exec.ts';
import { sessionOutput } from './session-output.ts';

interface Session {
  document: ExecDocument;
  handle: ExecHandle | undefined;
}

/** How many ended sessions are remembered for `inspect`; the oldest go first. */
const KEPT_SESSIONS = 1_000;

/** What sessions need of the engine. */
export type ExecDeps = Pick<
  ContainerDeps,
  'registry' | 'specs' | 'tasks' | 'snapshots' | 'events' | 'logger'
>;

export class ExecService implements ExecBackend {
  readonly #deps: ExecDeps;
  readonly #sessions = new Map<string, Session>();

  constructor(deps: ExecDeps) {
    this.#deps = deps;
  }

  /** Ids of the sessions of a container that run now. */
  runningIds(containerId: string): readonly string[] {
    return [...this.#sessions.values()]
      .filter(({ document }) => document.containerId === containerId)
      .filter(({ document }) => document.status.state === 'running')
      .map(({ document }) => document.id);
  }

  async create(containerRef: string, request: CreateExecRequest): Promise<{ id: string }> {
    const container = this.#deps.registry.resolve(containerRef);
    this.#requireRunning(container.id);
    if (request.args.length === 0) throw noExecCommand();
    parseDetachKeys(request.detachKeys);
    const id = newExecId();
    const document = {
      id,
      containerId: container.id,
      request,
      status: { state: 'created' },
    } as const;
    this.#forgetOldest();
    this.#sessions.set(id, { document, handle: undefined });
    const action = `exec_create: ${request.args.join(' ')}`;
    publishContainerEvent(this.#deps, container, { action, attributes: { execID: id } });
    return { id };
  }

  checkStart(execId: string): void {
    this.#requireStartable(this.#session(execId).document);
  }

  async start(
    execId: string,
    options: { consoleSize: TerminalSize | undefined },
    signal: AbortSignal,
  ): Promise<AttachSession> {
    const session = this.#session(execId);
    const handle = await this.#launch(session, { ...options, detached: false });
    return this.#attach(session.document, handle, signal);
  }

  /** Starts a session of the engine's own, which reads the output itself and closes nothing. */
  async startOwn(execId: string): Promise<ExecHandle> {
    return await this.#launch(this.#session(execId), { consoleSize: undefined, detached: false });
  }

  async startDetached(execId: string): Promise<void> {
    await this.#launch(this.#session(execId), { consoleSize: undefined, detached: true });
  }

  async resize(execId: string, size: TerminalSize): Promise<void> {
    const { document, handle } = this.#session(execId);
    if (document.status.state === 'starting') return;
    if (handle === undefined || document.status.state !== 'running') throw execNotRunning(execId);
    await handle.resize(size);
  }

  async inspect(execId: string): Promise<ExecDocument> {
    return this.#session(execId).document;
  }

  async #launch(
    session: Session,
    options: { readonly consoleSize: TerminalSize | undefined; readonly detached: boolean },
  ): Promise<ExecHandle> {
    const { document } = session;
    this.#requireStartable(document);
    this.#setStatus(session, { state: 'starting' });
    const container = this.#deps.registry.get(document.containerId);
    try {
      const handle = await launchExec(this.#deps, { document, container, ...options });
      session.handle = handle;
      this.#setStatus(session, { state: 'running', pid: handle.pid });
      const action = `exec_start: ${document.request.args.join(' ')}`;
      publishContainerEvent(this.#deps, container, { action, attributes: { execID: document.id } });
      this.#watch(session, handle);
      return handle;
    } catch (error) {
      this.#setStatus(session, { state: 'exited', exitCode: startExitCode(error, 126) });
      throw error;
    }
  }

  #watch(session: Session, handle: ExecHandle): void {
    handle.exit
      .then((exitCode) => this.#recordExit(session, exitCode))
      .catch((error: unknown) => {
        this.#deps.logger.error('cannot record the end of an exec session', { error });
        this.#recordExit(session, 255);
      });
  }

  #recordExit(session: Session, exitCode: number): void {
    const { id, containerId } = session.document;
    this.#setStatus(session, { state: 'exited', exitCode });
    session.handle = undefined;
    const container = this.#deps.registry.tryGet(containerId);
    if (container === undefined) return;
    const attributes = { execID: id, exitCode: String(exitCode) };
    publishContainerEvent(this.#deps, container, { action: 'exec_die', attributes });
  }

  #attach(document: ExecDocument, handle: ExecHandle, signal: AbortSignal): AttachSession {
    const { request } = document;
    const detached = new AbortController();
    const sink = handle.stdin;
    const stdin =
      sink === undefined
        ? undefined
        : new ClientStdin({
            connect: () => Promise.resolve(sink),
            closesProcess: !request.tty,
            detachKeys: request.tty ? parseDetachKeys(request.detachKeys) : new Uint8Array(0),
            onDetach: () => detached.abort(),
          });
    const ending = AbortSignal.any([signal, detached.signal]);
    return {
      tty: request.tty,
      output: sessionOutput(handle, request, ending),
      ...(stdin === undefined ? {} : { stdin }),
      close: async () => {
        detached.abort();
        await stdin?.release();
      },
    };
  }

  #session(execId: string): Session {
    const session = this.#sessions.get(execId);
    if (session === undefined) throw noSuchExec(execId);
    return session;
  }

  #setStatus(session: Session, status: ExecStatus): void {
    session.document = { ...session.document, status };
  }

  #requireRunning(containerId: ContainerId): void {
    const { status } = this.#deps.registry.get(containerId);
    if (status.state === 'paused') throw isPaused(containerId);
    if (isRestarting(status)) throw isRestartingNow(containerId);
    if (liveStatus(status) === undefined || !isRunning(status)) throw notRunning(containerId);
  }

  #requireStartable(document: ExecDocument): void {
    const { status, id } = document;
    if (status.state === 'running' || status.state === 'starting') throw execAlreadyStarted(id);
    if (status.state === 'exited') throw execHasRun(id);
    this.#requireRunning(document.containerId);
  }

  #forgetOldest(): void {
    if (this.#sessions.size < KEPT_SESSIONS) return;
    for (const [id, { document }] of this.#sessions) {
      if (document.status.state !== 'exited') continue;
      this.#sessions.delete(id as ExecId);
      return;
    }
  }
}
