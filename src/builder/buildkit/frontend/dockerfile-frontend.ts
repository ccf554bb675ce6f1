/** BuildKit's Dockerfile frontend, as clients drive it: from their options and files to a build of our solver. */
import type { Platform } from '../../../oci/platform.ts';
import { formatPlatform } from '../../../oci/platform.ts';
import type { BuildRequest, BuildResult, Solver } from '../../solver.ts';
import { unknownFrontend } from '../build/build-errors.ts';
import type { BuildJob, ResultRef } from '../build/build-job.ts';
import { withSource } from '../build/source-place.ts';
import type { Definition } from '../proto/common.ts';
import type { MessageOf } from '../proto/message.ts';
import type { ContextStore } from '../session/context-store.ts';
import { fetchCredentials, fetchSecret } from '../session/credentials.ts';
import { forwardAgent } from '../session/forward-agent.ts';
import type { Session, SessionRegistry } from '../session/session-registry.ts';
import { answerSubrequest } from './answer-subrequest.ts';
import { noSbom } from './frontend-errors.ts';
import {
  cacheImportsOf,
  type FrontendOptions,
  isListWanted,
  noCacheOf,
  platformsOf,
  pullOf,
  runSettingsOf,
  withPrefix,
} from './frontend-options.ts';
import { loadDockerfile, loadDockerignore } from './load-dockerfile.ts';
import { namedContexts } from './named-contexts.ts';
import { type SessionDirectory, sessionContext } from './session-context.ts';

export interface FrontendDeps {
  readonly solver: Solver;
  readonly sessions: SessionRegistry;
  readonly contexts: ContextStore;
  /** This machine's own. */
  readonly platform: Platform;
}

export interface FrontendRequest {
  readonly frontend: string;
  readonly options: FrontendOptions;
  readonly inputs: ReadonlyMap<string, MessageOf<typeof Definition> | undefined>;
}

export interface FrontendAnswer {
  readonly refs: readonly { readonly key: string; readonly ref: ResultRef }[];
  /** True when the client gets a list, even of one. */
  readonly isList: boolean;
  readonly metadata: ReadonlyMap<string, Uint8Array>;
}

/** Carries out one request of a build's client. Rejects with what the client is to see. */
export async function runFrontend(
  deps: FrontendDeps,
  { job, request }: { readonly job: BuildJob; readonly request: FrontendRequest },
  signal: AbortSignal,
): Promise<FrontendAnswer> {
  assertDockerfile(request);
  const { options } = request;
  if (options.has('attest:sbom')) throw noSbom();
  const locals = new Locals(deps, { job, options }, signal);
  const loaded = await loadDockerfile(
    job.progress,
    {
      directory: await locals.directory(options.get('dockerfilekey') ?? 'dockerfile'),
      name: options.get('filename') ?? 'Dockerfile',
    },
    signal,
  );
  const { dockerfile } = loaded;
  job.progress.setDockerfile(dockerfile);
  try {
    const asked = options.get('requestid');
    if (asked !== undefined) {
      return answerSubrequest(deps.solver, { name: asked, dockerfile, options });
    }
    const context = await locals.directory('context');
    const dockerignore =
      loaded.ownIgnore ?? (await loadDockerignore(job.progress, context, signal));
    const session = await locals.session();
    const platforms = platformsOf(options, deps.platform);
    const result = await deps.solver.solve(
      {
        ...{ dockerfile, dockerignore, platforms, context: sessionContext(context, 'context') },
        namedContexts: await namedContexts(locals, request),
        ...fromOptions(options, job),
        ...fromSession(session),
      },
      job.progress,
      signal,
    );
    return toAnswer(job.keep(result), { result, isList: isListWanted(options, platforms) });
  } catch (error) {
    throw withSource(error, dockerfile);
  }
}

/** Other frontends are images that would have to be run; the one for Dockerfiles is ours whatever its version. */
function assertDockerfile({ frontend, options }: FrontendRequest): void {
  if (frontend === 'dockerfile.v0') return;
  const source = options.get('source') ?? '';
  const isDockerfile = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(source);
  if (frontend !== 'gateway.v0' || !isDockerfile) throw unknownFrontend(source || frontend);
}

/** The client's directories, over the session that serves each. */
export class Locals {
  readonly #deps: FrontendDeps;
  readonly #job: BuildJob;
  readonly #sessionIds: ReadonlyMap<string, string>;
  readonly #signal: AbortSignal;

  constructor(
    deps: FrontendDeps,
    build: { readonly job: BuildJob; readonly options: FrontendOptions },
    signal: AbortSignal,
  ) {
    this.#deps = deps;
    this.#job = build.job;
    this.#sessionIds = withPrefix(build.options, 'local-sessionid:');
    this.#signal = signal;
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

type FromOptions = Omit<
  BuildRequest,
  | 'dockerfile'
  | 'dockerignore'
  | 'platforms'
  | 'context'
  | 'namedContexts'
  | 'secrets'
  | 'ssh'
  | 'credentialsFor'
>;

function fromOptions(options: FrontendOptions, job: BuildJob): FromOptions {
  const buildArgs = withPrefix(options, 'build-arg:');
  const epoch = buildArgs.get('SOURCE_DATE_EPOCH');
  const check = buildArgs.get('BUILDKIT_DOCKERFILE_CHECK');
  const granted = new Set(job.order.entitlements);
  const known = (['security.insecure', 'network.host'] as const).filter((one) => granted.has(one));
  return {
    target: options.get('target') || undefined,
    buildArgs,
    labels: withPrefix(options, 'label:'),
    noCache: noCacheOf(options),
    pull: pullOf(options),
    run: runSettingsOf(options),
    entitlements: new Set(known),
    sourceDateEpoch: epoch === undefined || epoch === '' ? undefined : Number(epoch),
    cacheFrom: cacheImportsOf(options),
    check: /(?:^|;)error=true(?:;|$)/.test(check ?? ''),
  };
}

function fromSession(session: Session): Pick<BuildRequest, 'secrets' | 'ssh' | 'credentialsFor'> {
  return {
    secrets: (id, signal) => fetchSecret(session, id, signal),
    ssh: (id, path, signal) => forwardAgent(session, { id, path }, signal),
    credentialsFor: (host, signal) => fetchCredentials(session, host, signal),
  };
}

function toAnswer(
  refs: readonly ResultRef[],
  { result, isList }: { readonly result: BuildResult; readonly isList: boolean },
): FrontendAnswer {
  const metadata = new Map<string, Uint8Array>();
  const platforms: object[] = [];
  const keyed = refs.flatMap((ref) => {
    const image = result.images[ref.index];
    if (image === undefined) return [];
    const key = formatPlatform(image.platform);
    const configKey = isList ? `containerimage.config/${key}` : 'containerimage.config';
    metadata.set(configKey, Buffer.from(JSON.stringify(image.config)));
    platforms.push({ ID: key, Platform: image.platform });
    return [{ key, ref }];
  });
  metadata.set('refs.platforms', Buffer.from(JSON.stringify({ Platforms: platforms })));
  return { refs: keyed, isList, metadata };
}
