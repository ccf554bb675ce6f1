/** BuildKit's Dockerfile frontend, as clients drive it: from their options and files to a build of our solver. */

import type { ImageRegistry } from '../../../distribution/image-registry.ts';
import { formatPlatform, type Platform } from '../../../oci/platform.ts';
import type { ContentStore } from '../../../storage/content-store.ts';
import type { BuildImages, CredentialsFor } from '../../build-images.ts';
import type { BuildRequest, BuildResult, Solver } from '../../solver.ts';
import { unknownFrontend } from '../build/build-errors.ts';
import type { BuildJob, ResultRef } from '../build/build-job.ts';
import type { BuildJobs } from '../build/build-jobs.ts';
import { withSource } from '../build/source-place.ts';
import { cacheImports } from '../cache/cache-imports.ts';
import type { Definition } from '../proto/common.ts';
import type { MessageOf } from '../proto/message.ts';
import { fetchCredentials, fetchSecret } from '../session/credentials.ts';
import { forwardAgent } from '../session/forward-agent.ts';
import type { Session } from '../session/session-registry.ts';
import { answerSubrequest } from './answer-subrequest.ts';
import { noSbom } from './frontend-errors.ts';
import {
  cacheImportsOf,
  checkOf,
  type FrontendOptions,
  isListWanted,
  noCacheOf,
  platformsOf,
  pullOf,
  runSettingsOf,
  withPrefix,
} from './frontend-options.ts';
import { loadSource } from './load-source.ts';
import { Locals, type LocalsDeps } from './locals.ts';
import { type ContextSources, namedContexts } from './named-contexts.ts';
import type { ReceiveContext } from './remote-context.ts';

export interface FrontendDeps extends LocalsDeps {
  readonly solver: Solver;
  readonly jobs: BuildJobs;
  readonly images: Pick<BuildImages, 'store' | 'resolve'>;
  readonly registry: ImageRegistry;
  readonly content: ContentStore;
  readonly receive: ReceiveContext;
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
  const source = await loadSource(deps.receive, { locals, options }, signal);
  const { dockerfile } = source;
  job.dockerfile = dockerfile;
  job.progress.setDockerfile(dockerfile);
  try {
    const asked = options.get('requestid');
    if (asked !== undefined) {
      const dockerignore = () => source.dockerignore();
      const subrequest = { name: asked, dockerfile, dockerignore, options };
      return await answerSubrequest(deps.solver, subrequest);
    }
    const platforms = platformsOf(options, deps.platform);
    const result = await deps.solver.solve(
      {
        ...{ dockerfile, platforms, context: source.context },
        dockerignore: await source.dockerignore(),
        namedContexts: await namedContexts(contextSources(deps, locals), request),
        ...fromOptions(options, job),
        ...fromSession(deps, options, await locals.session()),
      },
      job.progress,
      signal,
    );
    return toAnswer(job.keep(result), { result, isList: isListWanted(options, platforms) });
  } catch (error) {
    throw withSource(error, dockerfile);
  } finally {
    await source.release();
  }
}

function contextSources({ jobs, images }: FrontendDeps, locals: Locals): ContextSources {
  return {
    locals,
    findResult: (id) => {
      const ref = jobs.findRef(id);
      return ref?.result.images[ref.index];
    },
    storeResult: async ({ config, layers }) => {
      const descriptors = layers.map(({ descriptor }) => descriptor);
      return (await images.store({ config, layers: descriptors, names: [] })).id;
    },
  };
}

/** Other frontends are images that would have to be run; the one for Dockerfiles is ours whatever its version. */
function assertDockerfile({ frontend, options }: FrontendRequest): void {
  if (frontend === 'dockerfile.v0') return;
  const source = options.get('source') ?? '';
  const isDockerfile = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(source);
  if (frontend !== 'gateway.v0' || !isDockerfile) throw unknownFrontend(source || frontend);
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
  | 'cacheFrom'
>;

function fromOptions(options: FrontendOptions, job: BuildJob): FromOptions {
  const buildArgs = withPrefix(options, 'build-arg:');
  const epoch = buildArgs.get('SOURCE_DATE_EPOCH');
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
    check: checkOf(options),
  };
}

function fromSession(
  deps: FrontendDeps,
  options: FrontendOptions,
  session: Session,
): Pick<BuildRequest, 'secrets' | 'ssh' | 'credentialsFor' | 'cacheFrom'> {
  const credentialsFor: CredentialsFor = (host, signal) => fetchCredentials(session, host, signal);
  return {
    credentialsFor,
    cacheFrom: cacheImports(deps, cacheImportsOf(options), { session, credentialsFor }),
    secrets: (id, signal) => fetchSecret(session, id, signal),
    ssh: (id, path, signal) => forwardAgent(session, { id, path }, signal),
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
