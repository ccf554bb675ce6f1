/** The host's end of its conversation with the engine: one named method for each message. */
import type { HostFacts } from './host-facts.ts';
import type { LineConnection } from './line-connection.ts';
import type { Grant, HostMessage, Refusal, ShutdownReason } from './messages.ts';

/** Speaks to the engine at the other end of `connection`. */
export class EnginePort {
  readonly #connection: LineConnection;

  constructor(connection: LineConnection) {
    this.#connection = connection;
  }

  /** Answers the engine's hello. */
  sendFacts(facts: HostFacts): void {
    this.#send({ type: 'host-facts', facts });
  }

  /** Answers a request with what it brings. */
  grant(id: number, grant: Grant): void {
    this.#send({ type: 'granted', id, ...grant });
  }

  /** Answers a request that could not be done. */
  refuse(id: number, refusal: Refusal): void {
    this.#send({ type: 'refused', id, refusal });
  }

  /** Asks for the descriptor of a listener that only the engine holds since the host was replaced. */
  askForListener(listenerId: string, token: string): void {
    this.#send({ type: 'return-listener', listenerId, token });
  }

  /** Tells the engine to end: with its containers (`stop`, `machine-lost`) or without them (`handover`). */
  shutdown(reason: ShutdownReason): void {
    this.#send({ type: 'shutdown', reason });
  }

  #send(message: HostMessage): void {
    this.#connection.send(message);
  }
}
