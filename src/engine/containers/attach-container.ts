/** `POST /containers/{id}/attach`: a client's connection to the stdio of a container. */
import type { AttachOptions, AttachSession } from '../../api/backends.ts';
import { parseDetachKeys } from '../../wire/detach-keys.ts';
import { ClientStdin } from './client-stdin.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { cannotAttachPaused, isRestartingNow } from './container-errors.ts';
import { publishContainerEvent } from './container-events.ts';
import { isRestarting, liveStatus } from './container-status.ts';
import { chooseStreams, toOutput } from './logged-output.ts';

/**
 * Attaches to a container, also before it is started: output follows from now on until the next end of the
 * process. Resolves once nothing written from then on can be missed.
 */
export async function attachContainer(
  deps: ContainerDeps,
  attach: { readonly ref: string; readonly options: AttachOptions },
  signal: AbortSignal,
): Promise<AttachSession> {
  const { options } = attach;
  const document = deps.registry.resolve(attach.ref);
  if (document.status.state === 'paused') throw cannotAttachPaused();
  if (isRestarting(document.status)) throw isRestartingNow(document.id);
  const tty = document.config.Tty ?? false;
  const detachKeys = tty ? parseDetachKeys(options.detachKeys) : parseNoKeys(options.detachKeys);
  const session = new AbortController();
  const ending = AbortSignal.any([signal, session.signal]);
  const batches = await followOutput(deps, { document, options }, ending);
  publishContainerEvent(deps, document, { action: 'attach' });
  const stdin = options.stdin && document.config.OpenStdin === true && options.stream;
  const input = stdin ? openInput(deps, { document, tty, detachKeys, session }, ending) : undefined;
  return {
    tty,
    output: toOutput(chooseStreams(batches, options)),
    ...(input === undefined ? {} : { stdin: input }),
    close: async () => {
      session.abort();
      await input?.release();
    },
  };
}

/** Checks the keys all the same: a malformed sequence is an error on every container. */
function parseNoKeys(text: string | undefined): Uint8Array {
  parseDetachKeys(text);
  return new Uint8Array(0);
}

async function followOutput(
  deps: ContainerDeps,
  attach: { readonly document: ContainerDocument; readonly options: AttachOptions },
  signal: AbortSignal,
) {
  const { document, options } = attach;
  const logPath = deps.files.logPath(document.id);
  const isLive = liveStatus(document.status) !== undefined;
  const waits = isLive || canStillStart(document);
  const ended = isLive
    ? deps.signals.endOfLiveRun(document.id, signal)
    : deps.signals.next(document.id, ['ended', 'removed'], signal);
  const from = options.logs ? {} : { from: await deps.logs.end(logPath) };
  const follow = options.stream && waits ? { follow: { ended } } : {};
  return deps.logs.read({ logPath, signal, ...from, ...follow });
}

function canStillStart(document: ContainerDocument): boolean {
  return ['created', 'starting', 'exited'].includes(document.status.state);
}

interface Input {
  readonly document: ContainerDocument;
  readonly tty: boolean;
  readonly detachKeys: Uint8Array;
  readonly session: AbortController;
}

function openInput(deps: ContainerDeps, input: Input, signal: AbortSignal): ClientStdin {
  const { document, session } = input;
  const live = liveStatus(document.status);
  const started =
    live === undefined ? deps.signals.next(document.id, ['started'], signal) : undefined;
  return new ClientStdin({
    connect: async () => {
      const task = live?.task ?? (await started);
      return task === undefined ? undefined : await deps.tasks.openStdin(task);
    },
    closesProcess: document.config.StdinOnce === true && !input.tty,
    detachKeys: input.detachKeys,
    onDetach: () => {
      publishContainerEvent(deps, document, { action: 'detach' });
      session.abort();
    },
  });
}
