/** The stdin of a container, through its monitor's socket. */
import { SeqpacketConnection } from '../../sys/seqpacket.ts';
import { stdinClosed } from '../runtime-errors.ts';
import type { StdinSink } from '../task-runner.ts';

/** conmon reads at most this much of one packet and drops the rest. */
const LARGEST_PACKET_BYTES = 32 << 10;

/**
 * Connects to the monitor. With `closesWithConnection` the monitor closes the process's stdin when the connection
 * ends (Docker's `StdinOnce`); a detached client's connection is then kept open until the process has gone.
 */
export function openMonitorStdin(path: string, closesWithConnection: boolean): StdinSink {
  return new MonitorStdin(connect(path), closesWithConnection);
}

function connect(path: string): SeqpacketConnection {
  try {
    return SeqpacketConnection.connect(path);
  } catch (error) {
    throw stdinClosed(error);
  }
}

class MonitorStdin implements StdinSink {
  readonly #connection: SeqpacketConnection;
  readonly #closesWithConnection: boolean;

  constructor(connection: SeqpacketConnection, closesWithConnection: boolean) {
    this.#connection = connection;
    this.#closesWithConnection = closesWithConnection;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < chunk.length; at += LARGEST_PACKET_BYTES) {
        await this.#connection.send(chunk.subarray(at, at + LARGEST_PACKET_BYTES));
      }
    } catch (error) {
      throw stdinClosed(error);
    }
  }

  async end(): Promise<void> {
    // Only this direction: conmon (2.1, 2.2) forgets to close the process's stdin when it finds both directions
    // closed at once. It closes its side when the process ends.
    await this.#connection.shutdownWrite();
  }

  async detach(): Promise<void> {
    // The monitor would take the end of the connection for the end of the input.
    if (!this.#closesWithConnection) this.#connection.close();
  }
}
