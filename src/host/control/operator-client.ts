/** A command's side of the host's socket. */
import { createConnection } from 'node:net';
import { LineConnection } from '../../handshake/line-connection.ts';
import type { MachineReport } from '../../handshake/machine-report.ts';
import {
  decodeOperatorAnswer,
  type OperatorAnswer,
  type OperatorMessage,
  PROTOCOL,
} from '../../handshake/messages.ts';
import { messageOf } from '../../shared/errors.ts';
import { errnoCode } from '../../sys/system-errors.ts';
import { hostSilent } from '../host-errors.ts';

const ANSWER_TIMEOUT_MS = 10_000;

/** The host's own report; undefined when no host listens. `unavailable` when it listens and does not answer. */
export async function askStatus(hostSocket: string): Promise<MachineReport | undefined> {
  let report: MachineReport | undefined;
  const reached = await converse(hostSocket, 'operator-status', {
    timeoutMs: ANSWER_TIMEOUT_MS,
    onAnswer: (answer) => {
      if (answer.type === 'machine-report') report = answer.report;
      return 'hang-up';
    },
  });
  if (reached && report === undefined) throw hostSilent('it closed the connection');
  return report;
}

/** Tells the host to stop and waits until it has; false when no host listens. */
export function askStop(hostSocket: string): Promise<boolean> {
  return converse(hostSocket, 'operator-stop', {
    // Containers may be given all the time they want: the end of the connection is the answer.
    timeoutMs: undefined,
    onAnswer: () => 'go-on',
  });
}

interface Conversation {
  readonly timeoutMs: number | undefined;
  readonly onAnswer: (answer: OperatorAnswer) => 'hang-up' | 'go-on';
}

/** Sends one message and hears answers until either side hangs up. False when nobody listens. */
function converse(
  hostSocket: string,
  type: OperatorMessage['type'],
  conversation: Conversation,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: hostSocket });
    const unreachable = (error: Error) => {
      const code = errnoCode(error);
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(false);
      else reject(hostSilent(error.message));
    };
    socket.once('error', unreachable);
    socket.once('connect', () => {
      socket.off('error', unreachable);
      const timer = startTimer(conversation.timeoutMs, () =>
        connection.close(new Error('no answer in time')),
      );
      const connection = new LineConnection(socket, {
        onValue: (value) => {
          if (conversation.onAnswer(decodeOperatorAnswer(value)) === 'hang-up') connection.close();
        },
        onClosed: (error) => {
          clearTimeout(timer);
          if (error === undefined) resolve(true);
          else reject(hostSilent(messageOf(error)));
        },
      });
      connection.send({ type, protocol: PROTOCOL });
    });
  });
}

function startTimer(timeoutMs: number | undefined, expire: () => void): NodeJS.Timeout | undefined {
  return timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
}
