/** Asks the computer around the virtual machine that this daemon runs in, by way of the agent's socket. */
import { createConnection, type Socket } from 'node:net';
import {
  decodeOuterAnswer,
  type OuterAnswer,
  type OuterRequest,
} from '../../channel/port-requests.ts';
import { outerHostAway } from '../host-errors.ts';

/** An answer, and the connection that it came by: what follows on it has not been read. */
export interface OuterConnection {
  readonly answer: OuterAnswer;
  readonly socket: Socket;
}

const ANSWER_TIMEOUT_MS = 30_000;
const NEWLINE = 10;

/** `unavailable` when the computer does not answer; what it refuses is in the answer, and the connection is over then. */
export function askOuterHost(path: string, request: OuterRequest): Promise<OuterConnection> {
  return new Promise((resolve, reject) => {
    const bytes: number[] = [];
    const socket = createConnection({
      path,
      // Byte by byte: those behind the answer belong to whoever takes the connection.
      onread: {
        buffer: Buffer.alloc(1),
        callback: (_, buffer) => {
          if (buffer[0] !== NEWLINE) {
            bytes.push(buffer[0] ?? 0);
            return true;
          }
          settle();
          return false;
        },
      },
    });
    const timer = setTimeout(() => fail(new Error('no answer')), ANSWER_TIMEOUT_MS);
    const fail = (cause?: unknown) => {
      clearTimeout(timer);
      socket.destroy();
      reject(outerHostAway(cause));
    };
    const settle = () => {
      clearTimeout(timer);
      socket.off('close', fail).off('error', fail);
      try {
        resolve({ answer: decodeOuterAnswer(Buffer.from(bytes).toString()), socket });
      } catch (error) {
        fail(error);
      }
    };
    socket.once('error', fail).once('close', fail);
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
  });
}
