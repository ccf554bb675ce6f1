/**
 * Builds that are ordered by `POST /build?version=2`, by clients before buildx and by libraries: the same as `Solve`
 * and `Status`, told in JSON lines. Secrets come from a session, as always; so do files, or else from an archive.
 */
import { EngineError } from '../../../shared/errors.ts';
import type { SessionBuildQuery } from '../../../wire/build-query.ts';
import type { ProgressMessage } from '../../../wire/json-stream.ts';
import { BuildJob } from '../build/build-job.ts';
import type { StatusUpdate } from '../build/status-log.ts';
import { type SolveDeps, solve } from '../control/solve-methods.ts';
import { StatusError, statusOf } from '../grpc/grpc-errors.ts';
import { StatusResponse } from '../proto/control.ts';
import type { SessionRegistry } from '../session/session-registry.ts';
import { BY_REQUEST, orderOfQuery } from './order-of-query.ts';
import { Uploads } from './uploads.ts';

export interface OrderedDeps extends SolveDeps {
  readonly sessions: SessionRegistry;
}

interface AskedBuild {
  readonly query: SessionBuildQuery;
  /** The context as an archive, where the query names no other place of it. */
  readonly body: AsyncIterable<Uint8Array>;
}

export class OrderedBuilds {
  readonly #deps: OrderedDeps;
  readonly #uploads = new Uploads();
  readonly #running = new Map<string, AbortController>();

  constructor(deps: OrderedDeps) {
    this.#deps = deps;
  }

  /**
   * Builds while the lines are read. These clients never end when their build fails before their session is served,
   * or when the session outlives the build; so the session is waited for first and closed last.
   */
  async *build(
    {
      session: sessionId,
      query,
      body,
    }: Pick<AskedBuild, 'body'> & {
      readonly session: string;
      query(): SessionBuildQuery;
    },
    signal: AbortSignal,
  ): AsyncGenerator<ProgressMessage, void, void> {
    const session = await this.#deps.sessions.get(sessionId, signal);
    try {
      yield* this.#run({ query: query(), body }, AbortSignal.any([signal, session.gone]));
    } catch (error) {
      throw withoutExitCode(error);
    } finally {
      session.close();
    }
  }

  /** Brings the archive of a build whose context is the client's input. Resolves when it is of no more use. */
  upload(id: string, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    return this.#uploads.bring(id, body, signal);
  }

  /** Stops the build of that id, if there is one. */
  cancel(id: string): void {
    this.#running.get(id)?.abort(new EngineError('cancelled', 'context canceled'));
  }

  async *#run(asked: AskedBuild, signal: AbortSignal): AsyncGenerator<ProgressMessage, void, void> {
    const { buildId } = asked.query;
    const stop = new AbortController();
    this.#running.set(buildId, stop);
    try {
      yield* this.#lines(asked, AbortSignal.any([signal, stop.signal]));
    } finally {
      if (this.#running.get(buildId) === stop) this.#running.delete(buildId);
      stop.abort(new EngineError('cancelled', 'the client has left the build'));
      this.#uploads.end(buildId);
    }
  }

  async *#lines(
    { query, body }: AskedBuild,
    gone: AbortSignal,
  ): AsyncGenerator<ProgressMessage, void, void> {
    const job = new BuildJob(orderOfQuery(query), this.#deps.clock, gone);
    if (query.remote === undefined) job.uploaded = body;
    if (query.remote === BY_REQUEST) job.uploaded = await this.#uploads.take(query.buildId, gone);
    const solving = solve(this.#deps, job);
    // What it rejects with is thrown below; the progress ends also when the build was not taken in.
    solving.catch(() => job.close());
    for await (const update of job.log.follow(gone)) yield trace(update);
    const id = (await solving).get('containerimage.config.digest');
    if (id === undefined) return;
    yield { id: 'moby.image.id', aux: { ID: id } };
    if (query.quiet) yield { stream: `${id}\n` };
  }
}

function trace(update: StatusUpdate): ProgressMessage {
  const bytes = StatusResponse.encode(update);
  return { id: 'moby.buildkit.trace', aux: Buffer.from(bytes).toString('base64') };
}

/** These clients would take the exit code of a failed RUN for their own. */
const withoutExitCode = (error: unknown) => new StatusError(statusOf(error), error);
