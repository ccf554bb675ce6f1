/** The classic door: a request and an archive in, lines out, an image in the store. */

import { markedExcerpt, placeOfError } from '../../dockerfile/dockerfile-errors.ts';
import { type Platform, parsePlatform } from '../../oci/platform.ts';
import {
  familiarReference,
  type ImageReference,
  parseReference,
  withDefaultTag,
} from '../../oci/reference.ts';
import { EngineError, findEngineError, messageOf } from '../../shared/errors.ts';
import { shortId } from '../../shared/ids.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { CredentialsFor } from '../build-images.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { invalidContext } from '../builder-errors.ts';
import { registryCache } from '../cache/remote/registry-cache.ts';
import type { ClassicBuildRequest, ClassicBuilds } from '../classic-door.ts';
import type { BuildRequest, BuildResult, CacheImport, Solver } from '../solver.ts';
import { MessageQueue } from './message-queue.ts';
import { type ReceivedContext, receiveContext } from './receive-context.ts';
import { StepStream } from './step-stream.ts';

type ClassicDeps = Pick<
  BuilderDeps,
  | 'images'
  | 'trees'
  | 'dirs'
  | 'downloads'
  | 'openHostProxy'
  | 'platform'
  | 'specs'
  | 'registry'
  | 'content'
  | 'failpoints'
>;

export class ClassicDoor implements ClassicBuilds {
  readonly #deps: ClassicDeps;
  readonly #solver: Solver;

  constructor(deps: ClassicDeps, solver: Solver) {
    this.#deps = deps;
    this.#solver = solver;
  }

  async build(
    request: ClassicBuildRequest,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<AsyncIterable<ProgressMessage>> {
    const names = request.tags.map(toName);
    const platform = toPlatform(request, this.#deps.platform);
    // Asked before anything is built: limits that do not exist are refused here.
    const lacks = [...this.#deps.specs.shortcomings(request.resources), ...outputWarnings(request)];
    const received = await receiveContext(this.#deps, request, { body, signal });
    this.#deps.failpoints.hit('image-build:after-context');
    const left = new AbortController();
    const ending = AbortSignal.any([signal, left.signal]);
    let running: Promise<void> = Promise.resolve();
    const queue = new MessageQueue(async () => {
      left.abort(new EngineError('cancelled', 'the client has left the build'));
      await running;
    });
    const build = { request, names, received, platform, lacks };
    running = this.#run(build, queue, ending)
      .then(
        () => queue.close(),
        (error: unknown) => queue.fail(toClassicError(error, received)),
      )
      .finally(() => received.release());
    return queue;
  }

  /** Images that carry their cache; `lost` is told why one is of no use. */
  #caches(request: ClassicBuildRequest, lost: (problem: string) => void): readonly CacheImport[] {
    const credentialsFor = credentialsOf(request);
    return request.cacheFrom.map((ref) => {
      const { name, load } = registryCache(this.#deps, { ref, credentialsFor });
      const orTell = (error: unknown) => {
        lost(`The cache of ${ref} cannot be used: ${messageOf(error)}`);
        throw error;
      };
      return { name, load: (signal) => load(signal).catch(orTell) };
    });
  }

  async #run(
    build: {
      readonly request: ClassicBuildRequest;
      readonly names: readonly ImageReference[];
      readonly received: ReceivedContext;
      readonly platform: Platform | undefined;
      readonly lacks: readonly string[];
    },
    queue: MessageQueue,
    signal: AbortSignal,
  ): Promise<void> {
    const { request, names } = build;
    const say = (stream: string) => queue.send({ stream });
    const steps = new StepStream(
      (message) => (request.quiet ? undefined : queue.send(message)),
      request.removeContainers,
    );
    const lost: string[] = [];
    const cacheFrom = this.#caches(request, (problem) => lost.push(problem));
    const asked = { ...toBuildRequest(build), cacheFrom };
    const solving = this.#solver.solve(asked, steps, signal);
    solving.catch(() => steps.flush());
    const result = await solving;
    try {
      const [image] = result.images;
      if (image === undefined) throw new EngineError('internal', 'nothing was built');
      this.#deps.failpoints.hit('image-build:after-layers');
      const layers = image.layers.map(({ descriptor }) => descriptor);
      const { id } = await this.#deps.images.store({ config: image.config, layers, names });
      this.#deps.failpoints.hit('image-build:after-image');
      if (request.quiet) return say(`${id}\n`);
      for (const warning of [...build.lacks, ...lost, ...warningsOf(result)])
        say(`[Warning] ${warning}\n`);
      queue.send({ aux: { ID: id } });
      say(`Successfully built ${shortId(id.slice('sha256:'.length))}\n`);
      for (const name of names) say(`Successfully tagged ${familiarReference(name)}\n`);
    } finally {
      result.release();
    }
  }
}

function credentialsOf({ credentials }: ClassicBuildRequest): CredentialsFor {
  return async (host) =>
    credentials.get(host) ??
    (host === 'docker.io' ? credentials.get('https://index.docker.io/v1/') : undefined);
}

function toBuildRequest({
  request,
  received,
  platform,
}: {
  readonly request: ClassicBuildRequest;
  readonly received: ReceivedContext;
  readonly platform: Platform | undefined;
}): Omit<BuildRequest, 'cacheFrom'> {
  return {
    dockerfile: received.dockerfile,
    dockerignore: received.dockerignore,
    context: received.context,
    target: request.target,
    buildArgs: request.buildArgs,
    labels: request.labels,
    platforms: platform === undefined ? [] : [platform],
    noCache: request.noCache ? 'all' : 'none',
    namedContexts: new Map(),
    // The classic protocol has neither.
    secrets: async () => undefined,
    ssh: async () => undefined,
    pull: request.pull ? 'always' : 'missing',
    credentialsFor: credentialsOf(request),
    run: {
      networkMode: request.networkMode,
      extraHosts: request.extraHosts,
      shmSizeBytes: request.shmSizeBytes,
      resources: request.resources,
      securityOpt: request.securityOpt,
    },
    entitlements: new Set(),
    sourceDateEpoch: epochOf(request.buildArgs),
  };
}

function warningsOf({ unusedArgs }: BuildResult): readonly string[] {
  if (unusedArgs.length === 0) return [];
  return [`One or more build-args [${unusedArgs.join(' ')}] were not consumed`];
}

function outputWarnings({ hasOutputs }: ClassicBuildRequest): readonly string[] {
  return hasOutputs ? ['Outputs are discarded: this builder puts images into the store alone'] : [];
}

function epochOf(buildArgs: ReadonlyMap<string, string>): number | undefined {
  const text = buildArgs.get('SOURCE_DATE_EPOCH');
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function toName(text: string): ImageReference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw invalidContext(parsed.problem);
  if (parsed.reference.digest !== undefined) {
    throw invalidContext('build tag cannot contain a digest');
  }
  return withDefaultTag(parsed.reference);
}

function toPlatform({ platform }: ClassicBuildRequest, host: Platform): Platform | undefined {
  if (platform === undefined) return undefined;
  const parsed = parsePlatform(platform, host);
  if (parsed === undefined)
    throw invalidContext(`unknown operating system or architecture: ${platform}`);
  return parsed;
}

/** The classic builder's words for a failed command; the marked lines for mistakes in the Dockerfile. */
function toClassicError(error: unknown, { dockerfile }: ReceivedContext): unknown {
  const inner = findEngineError(error);
  const { exitCode, command } = inner?.details ?? {};
  if (exitCode !== undefined && command !== undefined) {
    const text = `The command '${command}' returned a non-zero code: ${exitCode}`;
    return new EngineError('internal', text, { cause: error, details: { exitCode } });
  }
  const place = placeOfError(error);
  if (place === undefined || inner?.kind !== 'invalid-argument') return error;
  const text = `${messageOf(error)}\n${markedExcerpt(dockerfile, place)}`;
  return new EngineError('invalid-argument', text, { cause: error });
}
