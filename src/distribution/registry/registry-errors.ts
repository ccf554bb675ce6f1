/** What can go wrong with a registry, in Docker's words, and which of it is worth another try. */
import { STATUS_CODES } from 'node:http';
import type { ImageReference } from '../../oci/reference.ts';
import { familiarName, familiarReference } from '../../oci/reference.ts';
import {
  EngineError,
  type ErrorKind,
  findEngineError,
  messageOf,
  systemCode,
} from '../../shared/errors.ts';

/** An answer of a registry that is an error. `code` is the registry's, e.g. `MANIFEST_UNKNOWN`. */
export class RegistryFailure extends Error {
  override readonly name = 'RegistryFailure';
  readonly status: number;
  readonly code: string;

  constructor(failure: { status: number; code: string; message: string }) {
    super(failure.message);
    this.status = failure.status;
    this.code = failure.code;
  }
}

const MAX_DETAIL = 200;

/** Reads the error document of the distribution API; anything else becomes a text about the status. */
export function failureOf(status: number, body: string): RegistryFailure {
  const first = firstError(body);
  if (first !== undefined) {
    const message = `${wordsOf(first.code)}: ${first.message}`;
    return new RegistryFailure({ status, code: first.code, message });
  }
  if (status === 429) {
    const message = 'toomanyrequests: the registry asks to slow down: try again later';
    return new RegistryFailure({ status, code: 'TOOMANYREQUESTS', message });
  }
  if (status === 401) return authenticationRequired();
  if (status >= 500 || status < 400) {
    const message = `received unexpected HTTP status: ${status} ${STATUS_CODES[status] ?? ''}`;
    return new RegistryFailure({ status, code: 'UNKNOWN', message: message.trimEnd() });
  }
  const shown = body.slice(0, MAX_DETAIL);
  const message = `error parsing HTTP ${status} response body: ${JSON.stringify(shown)}`;
  return new RegistryFailure({ status, code: codeOfStatus(status), message });
}

/** The registry wants other credentials or any at all. */
export function authenticationRequired(): RegistryFailure {
  return new RegistryFailure({
    status: 401,
    code: 'UNAUTHORIZED',
    message: 'unauthorized: authentication required',
  });
}

/** The credentials are fine but do not reach this far. */
export function accessDenied(): RegistryFailure {
  return new RegistryFailure({
    status: 401,
    code: 'DENIED',
    message: 'denied: requested access to the resource is denied',
  });
}

/** A registry with basic authentication and a client without credentials. */
export function noBasicCredentials(url: URL): RegistryFailure {
  return new RegistryFailure({
    status: 401,
    code: 'UNAUTHORIZED',
    message: `Get "${url.href}": no basic auth credentials`,
  });
}

/** A refusal, with what kept us from showing the user's credentials; as it is when nothing did. */
export function withTrouble(error: unknown, trouble: string): unknown {
  if (!(error instanceof RegistryFailure) || trouble === '') return error;
  const { status, code } = error;
  return new RegistryFailure({ status, code, message: `${error.message} (${trouble})` });
}

/** Turns a failure during a pull of `reference` into the error that the client sees. */
export function toPullError(error: unknown, reference: ImageReference): unknown {
  if (!(error instanceof RegistryFailure)) return error;
  switch (error.code) {
    case 'DENIED':
      return new EngineError(
        'not-found',
        `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${error.message}`,
        { cause: error },
      );
    case 'MANIFEST_UNKNOWN':
      return new EngineError(
        'not-found',
        `manifest for ${familiarReference(reference)} not found: ${error.message}`,
        { cause: error },
      );
    case 'NAME_UNKNOWN':
      return new EngineError(
        'not-found',
        `repository ${familiarName(reference)} not found: ${error.message}`,
        { cause: error },
      );
    default:
      // Like dockerd, 500 and not 401: the CLI would take 401 as an invitation to ask for a password.
      return new EngineError('internal', error.message, { cause: error });
  }
}

/** Turns a failure during a push into the error that the client sees: like dockerd's, never an invitation to log in. */
export function toPushError(error: unknown): unknown {
  if (!(error instanceof RegistryFailure)) return error;
  return new EngineError('internal', error.message, { cause: error });
}

/** A registry without an index to search: most have none. */
export function noSearchIndex(url: URL): EngineError {
  return new EngineError(
    'not-implemented',
    `registry ${url.host} has no search index: it does not answer ${url.pathname}`,
  );
}

/** An answer to a search that is none. */
export function malformedSearchAnswer(cause: unknown): EngineError {
  return new EngineError('corrupt', `the index sent a malformed answer: ${messageOf(cause)}`, {
    cause,
  });
}

/** A list of tags that is none. */
export function malformedTagList(cause: unknown): EngineError {
  return new EngineError(
    'corrupt',
    `the registry sent a malformed list of tags: ${messageOf(cause)}`,
    {
      cause,
    },
  );
}

/** A registry that begins an upload and does not say where. */
export function noUploadLocation(url: URL): EngineError {
  return new EngineError('internal', `${url.host} began an upload without a usable location`);
}

/** Wrong user name or password at login. */
export function loginRefused(url: URL, error: unknown): EngineError {
  return new EngineError('unauthorized', `Get "${url.href}": ${messageOf(error)}`, {
    cause: error,
  });
}

/** The registry could not be talked to; worded as Go's HTTP client would. */
export function unreachable(url: URL, error: unknown, method = 'GET'): EngineError {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new EngineError('internal', `${verb} "${url.href}": ${networkText(first, url)}`, {
    cause: error,
    details: { network: codeOf(first) },
  });
}

/** True for a failure to talk to the registry at all. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof EngineError && error.details['network'] !== undefined;
}

/** Network failures that may pass: the connection broke, nobody refused it. */
const PASSING: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN']);

/** True when the same request may work a moment later. */
export function isWorthRetrying(error: unknown): boolean {
  if (error instanceof RegistryFailure) {
    return error.status === 429 || error.status === 408 || error.status >= 500;
  }
  return error instanceof EngineError && PASSING.has(error.details['network'] ?? '');
}

/** The request was given up by the caller. */
export function pullCancelled(cause: unknown): EngineError {
  return new EngineError('cancelled', 'context canceled', { cause });
}

/** A document that is larger than any honest one. */
export function documentTooLarge(what: string, maxBytes: number): EngineError {
  return new EngineError('corrupt', `${what} is larger than ${maxBytes} bytes`);
}

/** A manifest whose bytes do not have the digest it was asked for by. */
export function manifestMismatch(wanted: string, actual: string): EngineError {
  return new EngineError(
    'corrupt',
    `manifest verification failed for digest ${wanted}: the registry sent ${actual}`,
  );
}

/** A download that ended before its announced size, again and again. */
export function downloadCutShort(digest: string, received: number, size: number): EngineError {
  return new EngineError(
    'corrupt',
    `unexpected EOF: the registry sent ${received} of ${size} bytes of ${digest}`,
    { details: { network: 'ECONNRESET' } },
  );
}

/** A server on the web that does not give a file; in Docker's words. */
export function downloadRefused(url: URL, status: number, body: string): EngineError {
  const kinds: Readonly<Record<number, ErrorKind>> = {
    400: 'invalid-argument',
    401: 'unauthorized',
    403: 'forbidden',
    404: 'not-found',
  };
  const reason = `${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  return new EngineError(
    kinds[status] ?? 'internal',
    `failed to GET ${url.href} with status ${reason}: ${body.slice(0, MAX_DETAIL)}`,
  );
}

/** A token server that answers something else than a token. */
export function noTokenInAnswer(realm: URL): EngineError {
  return new EngineError('internal', `authorization server ${realm.host} did not include a token`);
}

/** A redirect that leads nowhere or round in circles. */
export function badRedirect(url: URL, reason: string): EngineError {
  return new EngineError('internal', `Get "${url.href}": ${reason}`);
}

function firstError(body: string): { code: string; message: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    const errors = isObject(parsed) ? parsed['errors'] : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (!isObject(first) || typeof first['code'] !== 'string') return undefined;
    const message = typeof first['message'] === 'string' ? first['message'] : '';
    return { code: first['code'].toUpperCase(), message: message || wordsOf(first['code']) };
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function codeOfStatus(status: number): string {
  if (status === 404) return 'MANIFEST_UNKNOWN';
  return status === 403 ? 'DENIED' : 'UNKNOWN';
}

function codeOf(error: unknown): string {
  // A connection that the host refused to open carries the host's code.
  return systemCode(error) ?? findEngineError(error)?.details['code'] ?? 'UNKNOWN';
}

function networkText(error: unknown, url: URL): string {
  const code = codeOf(error);
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${addressOf(error, url)}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `dial tcp ${addressOf(error, url)}: connect: no route to host`;
    case 'ENETUNREACH':
      return `dial tcp ${addressOf(error, url)}: connect: network is unreachable`;
    case 'ETIMEDOUT':
      return `dial tcp ${addressOf(error, url)}: i/o timeout`;
    case 'ENOTFOUND':
      return `dial tcp: lookup ${url.hostname}: no such host`;
    case 'EAI_AGAIN':
      return `dial tcp: lookup ${url.hostname}: server misbehaving`;
    case 'ECONNRESET':
      return 'read: connection reset by peer';
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return 'http: server gave HTTP response to HTTPS client';
    default:
      return isCertificateCode(code)
        ? `tls: failed to verify certificate: x509: ${messageOf(error)}`
        : messageOf(error);
  }
}

function isCertificateCode(code: string): boolean {
  return /CERT|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)/.test(code);
}

function addressOf(error: unknown, url: URL): string {
  const known = isObject(error) ? error : {};
  const address = typeof known['address'] === 'string' ? known['address'] : url.hostname;
  const port = typeof known['port'] === 'number' ? known['port'] : url.port || defaultPort(url);
  return address.includes(':') && !address.startsWith('[')
    ? `[${address}]:${port}`
    : `${address}:${port}`;
}

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80';
}
