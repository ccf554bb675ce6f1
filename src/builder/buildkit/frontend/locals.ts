/** The client's directories, over the session that serves each. */
import type { BuildJob } from '../build/build-job.ts';
import type { ClientProgress } from '../build/client-progress.ts';
import type { ContextStore } from '../session/context-store.ts';
import type { Session, SessionRegistry } from '../session/session-registry.ts';
import { type FrontendOptions, withPrefix } from './frontend-options.ts';
import type { SessionDirectory } from './session-context.ts';

export interface LocalsDeps {
  readonly sessions: SessionRegistry;
  readonly contexts: ContextStore;
}

export class Locals {
  readonly #deps: LocalsDeps;
  readonly #job: BuildJob;
  readonly #sessionIds: ReadonlyMap<string, string>;
  readonly #signal: AbortSignal;

  constructor(
    deps: LocalsDeps,
    build: { readonly job: BuildJob; readonly options: FrontendOptions },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#job = build.job;
    this.#sessionIds = withPrefix(build.options, 'local-sessionid:');
    this.#signal = signal;
  }

  get progress(): ClientProgress {
    return this.#job.progress;
  }

  /** The archive that came by a request of its own, if one did. */
  get uploaded(): AsyncIterable<Uint8Array> | undefined {
    return this.#job.uploaded;
  }

  /** The build's own session. */
  session(): Promise<Session> {
    return this.#deps.sessions.get(this.#job.order.session, this.#signal);
  }

  async directory(name: string): Promise<SessionDirectory> {
    const id = this.#sessionIds.get(name) ?? this.#job.order.session;
    const session = await this.#deps.sessions.get(id, this.#signal);
    return { name, session, store: this.#deps.contexts };
  }
}
