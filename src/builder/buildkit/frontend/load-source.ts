/** What is built: the Dockerfile and the context, wherever they are. */
import type { BuildContext } from '../../build-context.ts';
import type { DockerfileSource } from '../../solver.ts';
import type { FrontendOptions } from './frontend-options.ts';
import { loadDockerfile, loadDockerignore } from './load-dockerfile.ts';
import type { Locals } from './locals.ts';
import { isRemote, type ReceiveContext, receiveRemote } from './remote-context.ts';
import { sessionContext } from './session-context.ts';

export interface BuildSource {
  readonly dockerfile: DockerfileSource;
  readonly context: BuildContext;
  /** Only asked for by builds: it may have to be fetched. */
  dockerignore(): Promise<string>;
  /** Removes what was fetched for this build alone. */
  release(): Promise<void>;
}

interface Build {
  readonly locals: Locals;
  readonly options: FrontendOptions;
}

/** `not-found` when there is no such Dockerfile. */
export function loadSource(
  receive: ReceiveContext,
  build: Build,
  signal: AbortSignal,
): Promise<BuildSource> {
  const address = build.options.get('context') ?? '';
  return isRemote(address)
    ? loadRemote(receive, { ...build, address }, signal)
    : loadLocal(build, signal);
}

async function loadLocal({ locals, options }: Build, signal: AbortSignal): Promise<BuildSource> {
  const { progress } = locals;
  const { dockerfile, ownIgnore } = await loadOwnDockerfile({ locals, options }, signal);
  const directory = await locals.directory('context');
  const naming = { name: 'context', step: '[internal] load build context' };
  return {
    dockerfile,
    context: sessionContext(directory, naming, progress),
    dockerignore: async () => ownIgnore ?? (await loadDockerignore(progress, directory, signal)),
    release: async () => undefined,
  };
}

async function loadOwnDockerfile({ locals, options }: Build, signal: AbortSignal) {
  const directory = await locals.directory(options.get('dockerfilekey') ?? 'dockerfile');
  const name = options.get('filename') ?? 'Dockerfile';
  return await loadDockerfile(locals.progress, { directory, name }, signal);
}

/** The Dockerfile comes from the context, too, unless the client says that it has one itself. */
async function loadRemote(
  receive: ReceiveContext,
  { locals, options, address }: Build & { readonly address: string },
  signal: AbortSignal,
): Promise<BuildSource> {
  const session = await locals.session();
  const own = options.has('dockerfilekey')
    ? await loadOwnDockerfile({ locals, options }, signal)
    : undefined;
  const received = await locals.progress.step('[internal] load remote build context', () => {
    const dockerfile = own === undefined ? (options.get('filename') ?? 'Dockerfile') : undefined;
    return receiveRemote(
      receive,
      { context: address, dockerfile, session, uploaded: locals.uploaded },
      signal,
    );
  });
  const { context, dockerignore, release } = received;
  return {
    dockerfile: own?.dockerfile ?? received.dockerfile,
    context,
    dockerignore: async () => own?.ownIgnore ?? dockerignore,
    release,
  };
}
