/** Registry credentials as clients send them in `X-Registry-Auth` (base64url JSON) and in the body of `/auth`. */
import * as v from 'valibot';
import { decode, struct, text } from './decode.ts';
import { invalidRegistryAuth } from './wire-errors.ts';

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
  /** A token that stands in for user name and password. */
  readonly identityToken: string;
  readonly registryToken: string;
}

const AuthConfigSchema = struct({
  username: v.optional(text, ''),
  password: v.optional(text, ''),
  /** Old clients send `user:password` in base64 instead of the two fields. */
  auth: v.optional(text, ''),
  serveraddress: v.optional(text, ''),
  identitytoken: v.optional(text, ''),
  registrytoken: v.optional(text, ''),
});

/** Decodes an `AuthConfig` object. `invalid-argument` when a field has the wrong type. */
export function decodeAuthConfig(raw: unknown): RegistryCredentials {
  const config = decode(AuthConfigSchema, raw);
  const [username, password] = splitAuth(config);
  return {
    username,
    password,
    serverAddress: config.serveraddress,
    identityToken: config.identitytoken,
    registryToken: config.registrytoken,
  };
}

function splitAuth(config: { username: string; password: string; auth: string }): [string, string] {
  if (config.username !== '' || config.auth === '') return [config.username, config.password];
  const pair = Buffer.from(config.auth, 'base64').toString('utf8');
  const at = pair.indexOf(':');
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
}

/**
 * Decodes the header: base64url or plain base64, with or without padding. Absent, empty and `{}` mean no
 * credentials. `invalid-argument` when it is not base64 of a JSON object.
 */
export function decodeRegistryAuth(header: string | undefined): RegistryCredentials | undefined {
  if (header === undefined || header.trim() === '') return undefined;
  const credentials = decodeAuthConfig(parseHeader(header.trim()));
  return hasCredentials(credentials) ? credentials : undefined;
}

/** False for those that say nothing but perhaps a server. */
export function hasCredentials(credentials: RegistryCredentials): boolean {
  const { username, password, identityToken, registryToken } = credentials;
  return [username, password, identityToken, registryToken].some((part) => part !== '');
}

/**
 * Decodes `X-Registry-Config`: credentials by the name of a registry. `invalid-argument` when it is not base64 of a JSON
 * object or `null`.
 */
export function decodeRegistryConfig(
  header: string | undefined,
): ReadonlyMap<string, RegistryCredentials> {
  if (header === undefined || header.trim() === '') return new Map();
  const raw = parseHeader(header.trim());
  // Go's clients say `null` for no credentials at all.
  if (raw === null) return new Map();
  if (typeof raw !== 'object') throw invalidRegistryAuth();
  return new Map(Object.entries(raw).map(([host, config]) => [host, decodeAuthConfig(config)]));
}

function parseHeader(header: string): unknown {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(header)) throw invalidRegistryAuth();
  try {
    // Node's base64 decoder takes both alphabets and does not ask for padding.
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch (error) {
    throw invalidRegistryAuth(error);
  }
}
