/**
 * The socket over which descriptors change hands. The other side connects and writes a token, with or without a
 * descriptor, and only then names the token on the control connection: so whatever a message speaks of already
 * waits here, and nothing has to be watched.
 */
import { closeSync, rmSync } from 'node:fs';
import { acceptConnection } from '../sys/accept-connection.ts';
import { receiveDescriptor, sendDescriptor } from '../sys/descriptor-passing.ts';
import { bindUnixSocket } from '../sys/listening-socket.ts';
import { noSuchHandleConnection } from './host-errors.ts';

interface Waiting {
  readonly connection: number;
  readonly attached: number | undefined;
}

const RECEIVE_TIMEOUT_MS = 2_000;

/** Gives and takes descriptors under tokens. */
export class HandleSocket {
  readonly #path: string;
  readonly #listener: number;
  readonly #waiting = new Map<string, Waiting>();
  #drained: Promise<void> = Promise.resolve();

  private constructor(path: string, listener: number) {
    this.#path = path;
    this.#listener = listener;
  }

  /** Binds the path, mode 0600. The caller holds the host lock, so a socket that lies there is a dead one's. */
  static open(path: string): HandleSocket {
    rmSync(path, { force: true });
    return new HandleSocket(path, bindUnixSocket(path, 0o600));
  }

  /** Sends a copy of `fd` over the connection with this token. `internal` when there is none. */
  async give(token: string, fd: number): Promise<void> {
    const { connection, attached } = await this.#take(token);
    try {
      sendDescriptor(connection, Buffer.from(token), fd);
    } finally {
      closeSync(connection);
      if (attached !== undefined) closeSync(attached);
    }
  }

  /** The descriptor that came with this token; it belongs to the caller. `internal` when none did. */
  async collect(token: string): Promise<number> {
    const { connection, attached } = await this.#take(token);
    closeSync(connection);
    if (attached === undefined) throw noSuchHandleConnection();
    return attached;
  }

  /** Drops the connection with this token, because what it was for has failed. */
  async discard(token: string): Promise<void> {
    const { connection, attached } = await this.#take(token);
    closeSync(connection);
    if (attached !== undefined) closeSync(attached);
  }

  /** Closes and removes the socket and everything that still waits on it. */
  close(): void {
    closeSync(this.#listener);
    for (const { connection, attached } of this.#waiting.values()) {
      closeSync(connection);
      if (attached !== undefined) closeSync(attached);
    }
    this.#waiting.clear();
    rmSync(this.#path, { force: true });
  }

  async #take(token: string): Promise<Waiting> {
    this.#drained = this.#drained.then(() => this.#acceptAll());
    await this.#drained;
    const waiting = this.#waiting.get(token);
    if (waiting === undefined) throw noSuchHandleConnection();
    this.#waiting.delete(token);
    return waiting;
  }

  async #acceptAll(): Promise<void> {
    for (;;) {
      const connection = acceptConnection(this.#listener);
      if (connection === undefined) return;
      await this.#greet(connection);
    }
  }

  async #greet(connection: number): Promise<void> {
    try {
      const received = await receiveDescriptor(connection, AbortSignal.timeout(RECEIVE_TIMEOUT_MS));
      if (received === undefined) return closeSync(connection);
      this.#waiting.set(received.payload.toString('latin1'), {
        connection,
        attached: received.fd,
      });
    } catch {
      // A caller that connects and says nothing gets nothing; the one that waits for its token is told so.
      closeSync(connection);
    }
  }
}
