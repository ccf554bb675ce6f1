/** A client's directory as the context of a build. */
import type { BuildContext, ContextWant, OpenedContext } from '../../build-context.ts';
import type { ClientProgress } from '../build/client-progress.ts';
import type { ContextStore } from '../session/context-store.ts';
import { syncDirectory } from '../session/file-sync.ts';
import type { Session } from '../session/session-registry.ts';

export interface SessionDirectory {
  /** As the client's session names it. */
  readonly name: string;
  readonly session: Session;
  readonly store: ContextStore;
}

/** How a context is called. */
export interface ContextNaming {
  /** In messages of the build. */
  readonly name: string;
  /** Of the step that brings it here. */
  readonly step: string;
}

/** Files of the client; owners are root's, as with BuildKit. */
export function sessionContext(
  directory: SessionDirectory,
  { name, step: stepName }: ContextNaming,
  progress: ClientProgress,
): BuildContext {
  return {
    ...{ name, keepsOwners: false },
    open: (want, signal) =>
      progress.step(stepName, async (step) => {
        const show = (bytes: number) => step.status(`transferring ${name}:`, bytes);
        show(0);
        // A link that COPY names needs what it leads to.
        const followPaths = want.include ?? [];
        return await openDirectory(directory, { ...want, followPaths, onProgress: show }, signal);
      }),
  };
}

/** Only what a pattern names, or what `followPaths` lead to. */
export interface DirectoryWant extends ContextWant {
  readonly followPaths?: readonly string[];
  /** Nothing of it is kept for the next build. */
  readonly once?: boolean;
  onProgress(bytes: number): void;
}

/** Brings the wanted part of the client's directory here. */
export async function openDirectory(
  { name, session, store }: SessionDirectory,
  want: DirectoryWant,
  signal: AbortSignal,
): Promise<OpenedContext> {
  const { sharedKey } = session.offer;
  const isForOnce = sharedKey === '' || want.once === true;
  const held = await store.take(isForOnce ? undefined : `${sharedKey}\n${name}`);
  try {
    const { include, exclude, followPaths = [], onProgress } = want;
    const gone = AbortSignal.any([signal, session.gone]);
    const request = { name, dir: held.dir, include, exclude, followPaths, onProgress };
    const transferredBytes = await syncDirectory(session, request, gone);
    return { dir: held.dir, transferredBytes, release: held.release };
  } catch (error) {
    await held.release();
    throw error;
  }
}
