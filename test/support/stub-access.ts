/** Who gets into a stub registry: passwords, and tokens from the token server that is one with it. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Who gets in. `bearer-loop` hands out tokens that it never accepts. */
export type StubAuth = 'none' | 'basic' | 'bearer' | 'bearer-loop';

/** Credentials that the stub accepts. */
export const STUB_CREDENTIALS = {
  username: 'user',
  password: 'secret',
  serverAddress: '',
  identityToken: '',
  registryToken: '',
} as const;

/** What the stub gives to stand in for user name and password. */
export const STUB_IDENTITY_TOKEN = 'for-later';

export class StubAccess {
  auth: StubAuth = 'none';
  /** So many requests a token is good for. */
  tokenUses = Number.POSITIVE_INFINITY;
  /** The token server sends its callers on to there. */
  tokenRedirect: string | undefined;
  /** Requests that were turned away. */
  refusals = 0;
  readonly #usesLeft = new Map<string, number>();
  #issued = 0;

  /** No token that was given out counts any more. */
  forgetTokens(): void {
    this.#usesLeft.clear();
  }

  allows(request: IncomingMessage): boolean {
    const given = request.headers.authorization ?? '';
    if (this.auth === 'none') return true;
    if (this.auth === 'basic') return given === basic();
    const token = given.replace(/^Bearer /, '');
    const left = this.#usesLeft.get(token) ?? 0;
    this.#usesLeft.set(token, left - 1);
    return this.auth === 'bearer' && left > 0;
  }

  /** Turns a request away; `host` is where the token server answers. */
  challenge(response: ServerResponse, host: string): void {
    this.refusals++;
    const value =
      this.auth === 'basic'
        ? 'Basic realm="stub"'
        : `Bearer realm="http://${host}/token",service="stub"`;
    const body = { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] };
    response.writeHead(401, { 'www-authenticate': value }).end(JSON.stringify(body));
  }

  async answerToken(request: IncomingMessage, url: URL, response: ServerResponse): Promise<void> {
    let form = '';
    for await (const chunk of request) form += String(chunk);
    if (this.tokenRedirect !== undefined) {
      response.writeHead(307, { location: this.tokenRedirect }).end();
      return;
    }
    const refreshing = new URLSearchParams(form).get('refresh_token');
    const isRefused =
      refreshing === null
        ? (request.headers.authorization ?? basic()) !== basic()
        : refreshing !== STUB_IDENTITY_TOKEN;
    if (isRefused) {
      const error = { code: 'UNAUTHORIZED', message: 'incorrect username or password' };
      response.writeHead(401).end(JSON.stringify({ errors: [error] }));
      return;
    }
    const token = `token-for-${url.searchParams.get('scope') ?? 'none'}-${this.#issued++}`;
    this.#usesLeft.set(token, this.tokenUses);
    const isForLater = url.searchParams.get('offline_token') === 'true';
    const more = isForLater ? { refresh_token: STUB_IDENTITY_TOKEN } : {};
    response.end(JSON.stringify({ token, expires_in: 300, ...more }));
  }
}

function basic(): string {
  const { username, password } = STUB_CREDENTIALS;
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}
