/** What `--build-context name=…` and bake's `contexts` stand for. */
import type { BuiltImage, NamedContext } from '../../solver.ts';
import { resultIdOf } from '../build/result-definition.ts';
import type { FrontendRequest } from './dockerfile-frontend.ts';
import { noInput, unsupportedContext } from './frontend-errors.ts';
import { withPrefix } from './frontend-options.ts';
import type { Locals } from './locals.ts';
import { sessionContext } from './session-context.ts';

/** What named contexts are made of. */
export interface ContextSources {
  readonly locals: Locals;
  /** An image that another build has made; undefined when it is gone. */
  findResult(id: string): BuiltImage | undefined;
  /** Keeps the image in the store; resolves to its id. */
  storeResult(image: BuiltImage): Promise<string>;
}

const IMAGE = 'docker-image://';
const LOCAL = 'local:';
const INPUT = 'input:';

/** The named contexts of a build, by name in lower case. `not-implemented` for kinds that are not served. */
export async function namedContexts(
  sources: ContextSources,
  request: FrontendRequest,
): Promise<ReadonlyMap<string, NamedContext>> {
  const contexts = new Map<string, NamedContext>();
  for (const [name, value] of withPrefix(request.options, 'context:')) {
    contexts.set(name.toLowerCase(), await toContext(sources, request, { name, value }));
  }
  return contexts;
}

async function toContext(
  sources: ContextSources,
  request: FrontendRequest,
  { name, value }: { readonly name: string; readonly value: string },
): Promise<NamedContext> {
  if (value.startsWith(IMAGE)) return { kind: 'image', ref: value.slice(IMAGE.length) };
  if (value.startsWith(INPUT)) {
    return { kind: 'image', ref: await inputImage(sources, request, value.slice(INPUT.length)) };
  }
  if (!value.startsWith(LOCAL)) throw unsupportedContext(name, value);
  const { locals } = sources;
  const directory = await locals.directory(value.slice(LOCAL.length));
  const naming = { name, step: `[context ${name}] load from client` };
  return { kind: 'files', context: sessionContext(directory, naming, locals.progress) };
}

/** The result of another build, as an image of the store. */
async function inputImage(
  { findResult, storeResult }: ContextSources,
  { inputs }: FrontendRequest,
  name: string,
): Promise<string> {
  const definition = inputs.get(name);
  const id = definition === undefined ? undefined : resultIdOf(definition);
  const image = id === undefined ? undefined : findResult(id);
  if (image === undefined) throw noInput(name);
  return await storeResult(image);
}
