/** The host's socket: one engine and any number of operators talk to the host here. */
import { rmSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { EnginePort } from '../handshake/engine-port.ts';
import { LineConnection } from '../handshake/line-connection.ts';
import {
  decodeCaller,
  decodeEngineMessage,
  type EngineMessage,
  type OperatorAnswer,
  type OperatorMessage,
} from '../handshake/messages.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

type Hello = Extract<EngineMessage, { type: 'engine-hello' }>;

/** Who is told what callers say. */
export interface ControlHandlers {
  /** An engine has said hello; it replaces an earlier connection. */
  readonly onEngine: (port: EnginePort, hello: Hello) => void;
  /** A later message of the engine that said hello last. */
  readonly onEngineMessage: (port: EnginePort, message: EngineMessage) => void;
  /** An operator wants something; its connection stays open until it or the server ends it. */
  readonly onOperator: (message: OperatorMessage, answer: (answer: OperatorAnswer) => void) => void;
}

/** Serves the socket from `listen` to `close`. */
export class ControlServer {
  readonly #handlers: ControlHandlers;
  readonly #logger: Logger;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  constructor(handlers: ControlHandlers, logger: Logger) {
    this.#handlers = handlers;
    this.#logger = logger;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Binds the path, mode 0600. The caller holds the host lock, so a socket that lies there is a dead one's. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
    await chmod(path, 0o600);
  }

  /** Stops listening and cuts all connections, which tells waiting operators that the host is done. */
  close(): void {
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    let receive = (value: unknown) => {
      receive = this.#greet(value, connection);
    };
    const connection = new LineConnection(socket, {
      onValue: (value) => receive(value),
      onClosed: (error) => {
        this.#connections.delete(socket);
        if (error !== undefined) {
          this.#logger.debug('a connection to the host broke', { error: messageOf(error) });
        }
      },
    });
  }

  /** Handles the first message and returns what handles the rest. */
  #greet(value: unknown, connection: LineConnection): (value: unknown) => void {
    const message = decodeCaller(value);
    if (message.type === 'operator-status' || message.type === 'operator-stop') {
      this.#handlers.onOperator(message, (answer) => connection.send(answer));
      return () => undefined;
    }
    const port = new EnginePort(connection);
    if (message.type === 'engine-hello') this.#handlers.onEngine(port, message);
    return (later) => this.#handlers.onEngineMessage(port, decodeEngineMessage(later));
  }
}
