/** One table of every operation: it feeds the router, the hijack door and the coverage page. */
import type { Handler } from './context.ts';
import type { TakeoverHandler } from './takeover.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS';

/** How an operation is served. */
export type Action =
  | { readonly kind: 'answer'; readonly handler: Handler }
  /** The connection becomes a raw stream: served by the hijack door. */
  | { readonly kind: 'takeover'; readonly handler: TakeoverHandler }
  /** The connection becomes a WebSocket: served by the same door. */
  | { readonly kind: 'websocket'; readonly handler: TakeoverHandler }
  /** Answers 501. */
  | { readonly kind: 'not-implemented' }
  /** Answers what dockerd answers outside of a swarm. */
  | { readonly kind: 'swarm-inactive' };

export interface Route {
  readonly method: Method;
  /** As in Docker's reference, without version prefix: `/containers/{id}/start`. */
  readonly path: string;
  /** The API version that introduced it; `1.24` for everything older. */
  readonly since: string;
  readonly action: Action;
  /** True for what clients call although Docker's reference leaves it out. */
  readonly undocumented?: true;
}

export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** Handlers by `METHOD /path`; used to write the tables of one noun. */
export type Handlers = Readonly<Record<`${Method} /${string}`, Action>>;

/** An operation that is answered by the router. */
export const answer = (handler: Handler): Action => ({ kind: 'answer', handler });

/** An operation that takes the connection over. */
export const takeover = (handler: TakeoverHandler): Action => ({ kind: 'takeover', handler });

/** An operation that turns the connection into a WebSocket. */
export const websocket = (handler: TakeoverHandler): Action => ({ kind: 'websocket', handler });

/** Where names of images or links stand, a parameter may hold slashes; so may the path of `OPTIONS`. */
const PARAMETERS_WITH_SLASHES =
  /^\/(?:images|plugins|distribution)\/|^\/containers\/\{id\}(?:\/json)?$|^\/\{anything\}$/;

/** The path in the router's own syntax: `/images/:name{.+}/json`. */
export function routerPattern(path: string): string {
  const suffix = PARAMETERS_WITH_SLASHES.test(path) ? '{.+}' : '';
  return path.replace(/\{(\w+)\}/g, `:$1${suffix}`);
}

/** Finds routes by method and path, for what happens outside of the router. */
export class RouteMatcher {
  readonly #entries: readonly { readonly route: Route; readonly pattern: RegExp }[];

  constructor(routes: readonly Route[]) {
    this.#entries = routes.map((route) => ({ route, pattern: toRegExp(route.path) }));
  }

  /** The route for this method and path (still percent-encoded), with its decoded parameters. */
  find(method: string, path: string): RouteMatch | undefined {
    for (const { route, pattern } of this.#entries) {
      const match = route.method === method ? pattern.exec(path) : null;
      if (match !== null) return { route, params: decodeParams(match.groups ?? {}) };
    }
    return undefined;
  }

  /** Methods that some route serves at this path. */
  methodsAt(path: string): readonly Method[] {
    return this.#entries.flatMap(({ route, pattern }) =>
      pattern.test(path) ? [route.method] : [],
    );
  }
}

function toRegExp(path: string): RegExp {
  const value = PARAMETERS_WITH_SLASHES.test(path) ? '.+' : '[^/]+';
  return new RegExp(`^${path.replace(/[.*]/g, '\\$&').replace(/\{(\w+)\}/g, `(?<$1>${value})`)}$`);
}

function decodeParams(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(groups).map(([name, raw]) => [name, decodePart(raw)]));
}

function decodePart(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    // Not percent-encoding after all: the text as it stands is what the client meant.
    return raw;
  }
}
