/** Errors of requests that cannot be decoded, with dockerd's texts where it has them. All are `invalid-argument`. */
import { EngineError } from '../shared/errors.ts';

const invalid = (message: string, cause?: unknown) =>
  new EngineError('invalid-argument', message, { cause });

/** A filter name that the endpoint does not know. */
export const invalidFilter = (name: string) => invalid(`invalid filter '${name}'`);

/** A filter whose values make no sense; the list is printed as Go prints it. */
export const invalidFilterValue = (name: string, values: readonly string[]) =>
  invalid(`invalid filter '${name}=[${values.join(' ')}]'`);

/** `filters` that is not JSON of one of the two shapes. */
export const malformedFilters = (cause?: unknown) => invalid('invalid filter', cause);

export const clientTooNew = (version: string, maximum: string) =>
  invalid(`client version ${version} is too new. Maximum supported API version is ${maximum}`);

export const clientTooOld = (version: string, minimum: string) =>
  invalid(
    `client version ${version} is too old. Minimum supported API version is ${minimum}, ` +
      'please upgrade your client to a newer version',
  );

export const emptyBody = () => invalid('invalid JSON: got EOF while reading request body');

export const malformedJson = (cause: Error) => invalid(`invalid JSON: ${cause.message}`, cause);

export const trailingContent = () => invalid('unexpected content after JSON');

/** A field of the wrong type; `path` is dotted. */
export const invalidField = (path: string, problem: string) =>
  invalid(path === '' ? `invalid JSON: ${problem}` : `invalid JSON: ${path}: ${problem}`);

export const unsupportedContentType = (contentType: string) =>
  invalid(`unsupported Content-Type header (${contentType}): must be 'application/json'`);

export const bodyTooLarge = (limitBytes: number) =>
  invalid(`request body is larger than ${limitBytes} bytes`);

export const malformedFraming = (problem: string) => invalid(`malformed request body: ${problem}`);

export const emptyContainerConfig = () =>
  invalid('config cannot be empty in order to create a container');

export const invalidNumber = (name: string, text: string) =>
  invalid(`invalid value for ${name}: "${text}" is not a number`);

/** A terminal's `height` or `width`. Docker's text. */
export const invalidResize = (what: string, text: string, problem: string) =>
  invalid(`invalid resize ${what} ${JSON.stringify(text)}: ${problem}`);

/** Before API 1.44 a new container could be in one network. Docker's text. */
export const tooManyEndpoints = (networks: readonly string[]) =>
  invalid(`Container cannot be created with multiple network endpoints: ${networks.join(', ')}`);

export const invalidTimestamp = (name: string, text: string) =>
  invalid(`invalid value for "${name}": "${text}" is neither a Unix time nor RFC 3339`);

export const invalidDetachKeys = (text: string) =>
  invalid(`Invalid detach keys (${text}) provided`);

export const invalidPlatformQuery = (json: string, cause: unknown) =>
  invalid(`invalid platform ${JSON.stringify(json)}`, cause);

export const invalidRegistryAuth = (cause?: unknown) =>
  invalid('invalid X-Registry-Auth header', cause);

export const invalidPortSyntax = (text: string) => invalid(`invalid port specification: "${text}"`);

/** Docker's text for containers of Windows. */
export const unsupportedIsolation = (text: string) =>
  invalid(`unsupported isolation: ${JSON.stringify(text)}`);

export const noLogStream = () => invalid('Bad parameters: you must choose at least one stream');

export const noExecCommand = () => invalid('No exec command specified');

/** Checkpoints are a feature that dockerd has only when it is told to experiment. Docker's text. */
export const checkpointsNotServed = () =>
  invalid('checkpoint is only supported in experimental mode');

export const startWithBody = () =>
  invalid(
    'starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24',
  );

export const invalidWaitCondition = (text: string) => invalid(`invalid condition: "${text}"`);

/** A value outside of a closed set, e.g. `type` of `/system/df`. */
export const unknownValue = (name: string, text: string) => invalid(`unknown ${name}: ${text}`);

export const missingParameter = (name: string) => invalid(`missing parameter: ${name}`);
