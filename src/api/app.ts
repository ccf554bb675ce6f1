/** The hono application: versions, headers, errors, and every operation that is an ordinary answer. */
import { Hono } from 'hono';
import { getPath } from 'hono/utils/url';
import { API_VERSION, assertServed, splitVersion } from '../wire/api-version.ts';
import { notImplemented, notSwarmManager, webSocketExpected } from './api-errors.ts';
import type { ApiContext, ApiDeps, ApiEnv, ServerFacts } from './context.ts';
import { logFailure, toErrorAnswer } from './error-handler.ts';
import { OPERATIONS } from './operations.ts';
import { type Route, RouteMatcher, routerPattern } from './route-table.ts';

/** Headers that go with every answer. */
export function standardHeaders(facts: ServerFacts): Readonly<Record<string, string>> {
  return {
    'Api-Version': API_VERSION,
    'Docker-Experimental': 'false',
    Ostype: 'linux',
    Server: `Docker/${facts.serverVersion} (linux)`,
  };
}

/** Builds the application. It holds no state: any number of servers may share it. */
export function createApp(deps: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>({ getPath: (request) => routePath(getPath(request)) });
  const headers = Object.entries(standardHeaders(deps.facts));
  const matcher = new RouteMatcher(OPERATIONS);

  app.use('*', async (c, next) => {
    for (const [name, value] of headers) c.header(name, value);
    const { version } = splitVersion(getPath(c.req.raw));
    c.set('version', version);
    assertServed(version);
    await next();
  });
  for (const route of OPERATIONS) {
    // The router answers HEAD through the handler of GET, so a HEAD of its own is chosen there.
    if (route.method === 'HEAD' || route.action.kind === 'takeover') continue;
    app.on(route.method, routerPattern(route.path), (c) => {
      if (c.req.method !== 'HEAD') return respond(c, route, deps);
      const head = matcher.find('HEAD', c.req.path)?.route;
      return head === undefined ? refuse(c, matcher) : respond(c, head, deps);
    });
  }

  app.notFound((c) => refuse(c, matcher));
  app.onError((error, c) => {
    logFailure(deps.logger, `${c.req.method} ${c.req.path}`, error);
    for (const [name, value] of headers) c.header(name, value);
    const { status, message } = toErrorAnswer(error);
    return c.json({ message }, status);
  });
  return app;
}

/** A request's path without its version and without a trailing slash. */
export function routePath(path: string): string {
  const stripped = splitVersion(path).path;
  return stripped.length > 1 && stripped.endsWith('/') ? stripped.slice(0, -1) : stripped;
}

/** 404 for an unknown path, 405 for a method that the path does not have. */
function refuse(c: ApiContext, matcher: RouteMatcher): Response {
  const methods = matcher.methodsAt(c.req.path).filter((method) => method !== 'OPTIONS');
  if (methods.length === 0) return c.json({ message: 'page not found' }, 404);
  c.header('Allow', methods.join(', '));
  return c.json({ message: 'method not allowed' }, 405);
}

function respond(c: ApiContext, route: Route, deps: ApiDeps): Response | Promise<Response> {
  switch (route.action.kind) {
    case 'answer':
      return route.action.handler(c, deps);
    case 'websocket':
      throw webSocketExpected();
    case 'swarm-inactive':
      throw notSwarmManager();
    default:
      throw notImplemented(route.method, route.path);
  }
}
