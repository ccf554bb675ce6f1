/** What a route handler is given. */
import type { Socket } from 'node:net';
import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import type { Clock } from '../shared/clock.ts';
import { invariant } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { ApiVersion } from '../wire/api-version.ts';
import { decodeBoolean } from '../wire/query.ts';
import type { Backends } from './backends.ts';

/** Facts about the engine that never change while it runs. */
export interface ServerFacts {
  /** Engine version, for the `Server` header. */
  readonly serverVersion: string;
  /** Name of the storage driver, for the `GraphDriver` of images. */
  readonly storageDriver: string;
}

/** Everything the routes are built from. */
export interface ApiDeps {
  readonly backends: Backends;
  readonly facts: ServerFacts;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves once the peer has read what was sent, at the latest after `withinMs`; absent where nobody can tell. */
  readonly readByPeer?: (socket: Socket, withinMs: number) => Promise<void>;
}

/** Bindings are absent when a test calls the application without a socket. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings>;
  Variables: { version: ApiVersion };
}

export type ApiContext = Context<ApiEnv>;

/** Parse, call one engine verb, map the answer: nothing else belongs into a handler. */
export type Handler = (c: ApiContext, deps: ApiDeps) => Promise<Response> | Response;

/** A parameter of the route's path, decoded. */
export function pathParam(c: ApiContext, name: string): string {
  const value = c.req.param(name);
  invariant(value !== undefined, `route without parameter ${name}`);
  return value;
}

/** A boolean query parameter, false when absent. */
export function queryFlag(c: ApiContext, name: string, fallback = false): boolean {
  return decodeBoolean(c.req.query(name), fallback);
}

/** A query parameter, undefined when absent or empty. */
export function queryText(c: ApiContext, name: string): string | undefined {
  const value = c.req.query(name);
  return value === '' ? undefined : value;
}
