/**
 * The way into one registry for one user: basic authentication, or bearer tokens from the server that the
 * registry names (distribution specification, "Token Authentication"). Tokens are kept until they expire.
 */
import type { Clock } from '../../shared/clock.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import type { Account } from './account.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import { type HttpTransport, type IncomingResponse, readBody } from './http-transport.ts';
import {
  accessDenied,
  authenticationRequired,
  failureOf,
  noBasicCredentials,
  noTokenInAnswer,
  withTrouble,
} from './registry-errors.ts';
import { rememberRetryAfter } from './retry.ts';

/** Tokens without a stated life are good for so long (the specification's default). */
const DEFAULT_TOKEN_SECONDS = 60;
/** Tokens are renewed a little early, so that they do not expire on the way. */
const MARGIN_MS = 5000;
const MAX_TOKEN_BYTES = 1024 * 1024;
const CLIENT_ID = 'wherry';

interface Token {
  readonly header: string;
  readonly expiresAtMs: number;
}

export interface AuthorizerOptions {
  readonly transport: HttpTransport;
  readonly clock: Clock;
  readonly account: Account;
  /** Asks the token server also for a token that stands in for user name and password later. */
  readonly wantsRefreshToken?: boolean;
}

/** A request that was answered with 401. */
export interface RefusedRequest {
  /** Its `Authorization` header. */
  readonly sent: string | undefined;
  /** True when that header was made in answer to an earlier 401 of the same request. */
  readonly isRepeat: boolean;
  readonly signal: AbortSignal;
}

export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Token>();
  /** How tokens were last asked for, so that one that expires is renewed before a long upload and not in it. */
  readonly #challenges = new Map<string, Challenge>();
  #refreshToken = '';

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The token that the server gave to stand in for user name and password; empty when it gave none. */
  get refreshToken(): string {
    return this.#refreshToken;
  }

  /** The `Authorization` header to send for `scope` now, if one is known. */
  async headerFor(scope: string, signal: AbortSignal): Promise<string | undefined> {
    const { account, clock } = this.#options;
    if (account.givenToken !== '') return `Bearer ${account.givenToken}`;
    const token = this.#tokens.get(scope);
    if (token === undefined || token.expiresAtMs > clock.now()) return token?.header;
    const challenge = this.#challenges.get(scope);
    if (challenge === undefined) return undefined;
    const renewed = await this.#fetchToken(challenge, scope, signal);
    this.#tokens.set(scope, renewed);
    return renewed.header;
  }

  /**
   * Finds a new header after the registry refused the one that was `sent`. Throws when there is no other way in:
   * a token that was fetched for this very request is refused (`isRepeat`), or credentials are missing or wrong.
   */
  async answer(response: IncomingResponse, scope: string, refused: RefusedRequest): Promise<void> {
    try {
      this.#tokens.set(scope, await this.#otherWayIn(response, scope, refused));
    } catch (error) {
      throw withTrouble(error, this.#options.account.trouble);
    }
  }

  async #otherWayIn(
    response: IncomingResponse,
    scope: string,
    refused: RefusedRequest,
  ): Promise<Token> {
    const challenges = parseChallenges(response.headers['www-authenticate'] ?? '');
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer');
    const credentials = await this.#options.account.credentials();
    if (credentials !== undefined && credentials.registryToken !== '') {
      return this.#fixed(`Bearer ${credentials.registryToken}`, refused, refusalOf(bearer));
    }
    if (bearer !== undefined) {
      if (refused.isRepeat) throw refusalOf(bearer);
      this.#challenges.set(scope, bearer);
      return await this.#fetchToken(bearer, scope, refused.signal);
    }
    if (!challenges.some((challenge) => challenge.scheme === 'basic')) {
      throw authenticationRequired();
    }
    const header = basicHeader(credentials);
    if (header === undefined) throw noBasicCredentials(response.url);
    return this.#fixed(header, refused, authenticationRequired());
  }

  /** A header that stays the same for good: refused once, it is refused always. */
  #fixed(header: string, refused: RefusedRequest, refusal: Error): Token {
    if (header === refused.sent) throw refusal;
    const { account, clock } = this.#options;
    return { header, expiresAtMs: clock.now() + account.lifeMs };
  }

  async #fetchToken(challenge: Challenge, scope: string, signal: AbortSignal): Promise<Token> {
    const realm = challenge.parameters.get('realm') ?? '';
    if (!URL.canParse(realm)) throw authenticationRequired();
    const query = new URLSearchParams();
    const service = challenge.parameters.get('service');
    if (service !== undefined) query.set('service', service);
    // What the registry asked for, when it said so, wins over what we think is needed.
    const asked = scope === '' ? '' : (challenge.parameters.get('scope') ?? scope);
    for (const part of asked.split(' ')) if (part !== '') query.append('scope', part);
    if (this.#options.wantsRefreshToken === true) {
      query.set('offline_token', 'true');
      query.set('client_id', CLIENT_ID);
    }
    const response = await this.#askTokenServer(new URL(realm), query, signal);
    const body = (await readBody(response, 'token', MAX_TOKEN_BYTES)).toString('utf8');
    if (response.status < 200 || response.status > 299) {
      const failure = failureOf(response.status, body);
      rememberRetryAfter(failure, response.headers['retry-after'], this.#options.clock);
      throw failure;
    }
    return this.#toToken(new URL(realm), body);
  }

  async #askTokenServer(
    realm: URL,
    query: URLSearchParams,
    signal: AbortSignal,
  ): Promise<IncomingResponse> {
    const { transport, account } = this.#options;
    const credentials = await account.credentials();
    if (credentials !== undefined && credentials.identityToken !== '') {
      query.set('client_id', CLIENT_ID);
      query.set('grant_type', 'refresh_token');
      query.set('refresh_token', credentials.identityToken);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const body = query.toString();
      return await transport.send({ url: realm, method: 'POST', headers, body, signal });
    }
    const url = new URL(realm);
    for (const [name, value] of query) url.searchParams.append(name, value);
    const basic = basicHeader(credentials);
    if (basic !== undefined) url.searchParams.set('account', credentials?.username ?? '');
    const headers: Record<string, string> = basic === undefined ? {} : { authorization: basic };
    return await transport.send({ url, method: 'GET', headers, signal });
  }

  #toToken(realm: URL, body: string): Token {
    const answer = parseTokenAnswer(body);
    if (answer === undefined) throw noTokenInAnswer(realm);
    this.#refreshToken = answer.refreshToken;
    const lifeMs = Math.max(answer.expiresIn, DEFAULT_TOKEN_SECONDS) * 1000;
    return {
      header: `Bearer ${answer.token}`,
      expiresAtMs: this.#options.clock.now() + lifeMs - MARGIN_MS,
    };
  }
}

function basicHeader(credentials: RegistryCredentials | undefined): string | undefined {
  if (credentials === undefined || credentials.username === '') return undefined;
  const pair = `${credentials.username}:${credentials.password}`;
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

interface TokenAnswer {
  readonly token: string;
  readonly expiresIn: number;
  readonly refreshToken: string;
}

function parseTokenAnswer(body: string): TokenAnswer | undefined {
  try {
    const answer = JSON.parse(body) as Record<string, unknown> | null;
    const token = answer?.['token'] ?? answer?.['access_token'];
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return undefined;
    const expiresIn = answer?.['expires_in'];
    const refreshToken = answer?.['refresh_token'];
    return {
      token,
      expiresIn: typeof expiresIn === 'number' ? expiresIn : DEFAULT_TOKEN_SECONDS,
      refreshToken: typeof refreshToken === 'string' ? refreshToken : '',
    };
  } catch {
    return undefined;
  }
}

/** Why a fresh token was refused (RFC 6750, 3.1). */
function refusalOf(bearer: Challenge | undefined): Error {
  return bearer?.parameters.get('error') === 'insufficient_scope'
    ? accessDenied()
    : authenticationRequired();
}
