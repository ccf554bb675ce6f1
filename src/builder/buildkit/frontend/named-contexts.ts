/** What `--build-context name=…` and bake's `contexts` stand for. */
import type { NamedContext } from '../../solver.ts';
import type { FrontendRequest, Locals } from './dockerfile-frontend.ts';
import { unsupportedContext } from './frontend-errors.ts';
import { withPrefix } from './frontend-options.ts';
import { sessionContext } from './session-context.ts';

const IMAGE = 'docker-image://';
const LOCAL = 'local:';

/** The named contexts of a build, by name in lower case. `not-implemented` for kinds that are not served. */
export async function namedContexts(
  locals: Locals,
  { options }: FrontendRequest,
): Promise<ReadonlyMap<string, NamedContext>> {
  const contexts = new Map<string, NamedContext>();
  for (const [name, value] of withPrefix(options, 'context:')) {
    contexts.set(name.toLowerCase(), await toContext(locals, name, value));
  }
  return contexts;
}

async function toContext(locals: Locals, name: string, value: string): Promise<NamedContext> {
  if (value.startsWith(IMAGE)) return { kind: 'image', ref: value.slice(IMAGE.length) };
  if (value.startsWith(LOCAL)) {
    const directory = await locals.directory(value.slice(LOCAL.length));
    return { kind: 'files', context: sessionContext(directory, name) };
  }
  throw unsupportedContext(name, value);
}
