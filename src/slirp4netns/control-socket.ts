/**
 * Client of slirp4netns' control socket. The protocol is one JSON request and one JSON answer for each
 * connection; the request ends when our side is shut down.
 */
import { createConnection } from 'node:net';
import { slirpPortTaken, slirpRefused, slirpUnreachable } from './slirp-errors.ts';

/** A port of the host that leads to a port inside. */
export interface HostForward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly guestIp: string;
  readonly guestPort: number;
}

/** A host forward as the helper lists it. */
export interface ListedHostForward extends HostForward {
  readonly id: number;
}

type Json = Readonly<Record<string, unknown>>;

const MAX_ANSWER_BYTES = 1 << 20;

/** Speaks to one slirp4netns. Holds no connection between calls; safe to use from several callers at once. */
export class SlirpControlSocket {
  readonly #path: string;
  readonly #timeoutMs: number;

  /** `path` is the `--api-socket` of the helper. Each request is given up after `timeoutMs`. */
  constructor(path: string, timeoutMs = 5_000) {
    this.#path = path;
    this.#timeoutMs = timeoutMs;
  }

  /** Opens a host port and resolves to the forward's id. `conflict` when the port is taken. */
  async addHostForward(forward: HostForward): Promise<number> {
    const result = await this.#request('add_hostfwd', {
      proto: forward.protocol,
      host_addr: forward.hostIp,
      host_port: forward.hostPort,
      guest_addr: forward.guestIp,
      guest_port: forward.guestPort,
    });
    if (typeof result['id'] !== 'number') throw slirpRefused('the new forward has no id');
    return result['id'];
  }

  /** Closes a host port. `internal` when there is no forward with this id. */
  async removeHostForward(id: number): Promise<void> {
    await this.#request('remove_hostfwd', { id });
  }

  /** All forwards; doubles as the question whether the helper is alive. */
  async listHostForwards(): Promise<readonly ListedHostForward[]> {
    const { entries } = await this.#request('list_hostfwd', {});
    if (!Array.isArray(entries)) throw slirpRefused('the list of forwards has no entries');
    return entries.map(decodeForward);
  }

  async #request(execute: string, args: Json): Promise<Json> {
    const text = await this.#exchange(JSON.stringify({ execute, arguments: args }));
    return decodeAnswer(text);
  }

  #exchange(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const connection = createConnection({ path: this.#path });
      const fail = (error: unknown) => {
        connection.destroy();
        reject(slirpUnreachable(this.#path, error));
      };
      connection.setTimeout(this.#timeoutMs, () => fail(new Error('no answer in time')));
      connection.on('error', fail);
      connection.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER_BYTES) return fail(new Error('the answer is too long'));
        chunks.push(chunk);
      });
      connection.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
      connection.end(request);
    });
  }
}

function decodeAnswer(text: string): Json {
  const answer = parseObject(text);
  if (answer['error'] !== undefined) {
    const { desc } = asObject(answer['error']);
    const description = typeof desc === 'string' ? desc : 'unknown error';
    // The helper has one text for every refusal of add_hostfwd; a taken port is the only one left after our own checks.
    if (/add_hostfwd: slirp_add_hostfwd failed/.test(description))
      throw slirpPortTaken(description);
    throw slirpRefused(description);
  }
  // Version 1.2 answers the question for the list without this frame, against its own manual.
  return asObject(answer['return'] ?? answer);
}

function decodeForward(raw: unknown): ListedHostForward {
  const entry = asObject(raw);
  const text = (name: string) => {
    const value = entry[name];
    if (typeof value !== 'string') throw slirpRefused(`a listed forward has no ${name}`);
    return value;
  };
  const number = (name: string) => {
    const value = entry[name];
    if (typeof value !== 'number') throw slirpRefused(`a listed forward has no ${name}`);
    return value;
  };
  const protocol = text('proto');
  if (protocol !== 'tcp' && protocol !== 'udp') throw slirpRefused(`unknown protocol ${protocol}`);
  return {
    id: number('id'),
    protocol,
    hostIp: text('host_addr'),
    hostPort: number('host_port'),
    guestIp: text('guest_addr'),
    guestPort: number('guest_port'),
  };
}

function parseObject(text: string): Json {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw slirpRefused(`its answer is not JSON: ${text.slice(0, 200)}`, error);
  }
  return asObject(parsed);
}

function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw slirpRefused('its answer has an unexpected form');
  }
  return value as Json;
}
