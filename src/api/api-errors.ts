/** Errors that the router itself answers with. */
import { EngineError } from '../shared/errors.ts';

/** A documented operation that wherry does not serve. */
export const notImplemented = (method: string, path: string) =>
  new EngineError('not-implemented', `${method} ${path} is not implemented by this engine`);

/** Docker's text for swarm operations on an engine outside of a swarm. */
export const notSwarmManager = () =>
  new EngineError(
    'unavailable',
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect ' +
      'this node to swarm and try again.',
  );

/** There are no plugins; clients match on this text. */
export const pluginNotFound = (name: string) =>
  new EngineError('not-found', `plugin "${name}" not found`);

/** A plain request where only a WebSocket makes sense. */
export const webSocketExpected = () =>
  new EngineError('invalid-argument', 'not websocket protocol');

export const clientHungUp = () => new EngineError('cancelled', 'the client closed the connection');

/** Two ways to inspect an image that exclude each other. */
export const manifestsOfPlatform = () =>
  new EngineError(
    'invalid-argument',
    'conflicting options: manifests and platform options cannot both be set',
  );

/** A request that must be upgraded to HTTP/2 and does not ask for it. */
export const upgradeExpected = (asked: string | undefined) =>
  new EngineError(
    'invalid-argument',
    asked === undefined ? 'no upgrade requested' : `protocol ${asked} not supported`,
  );

/** A session of a build client that does not say its name. */
export const sessionIdExpected = () =>
  new EngineError('invalid-argument', 'the session has no X-Docker-Expose-Session-Uuid');

/** Builds over a session, and their end, are named by the client. */
export const buildIdExpected = () => new EngineError('invalid-argument', 'build ID not provided');

export const squashNeedsExperimental = () =>
  new EngineError('invalid-argument', 'squash is only supported with experimental mode');
