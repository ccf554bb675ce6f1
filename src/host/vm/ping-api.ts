/** Whether an API answers at the other end of a connection. */
import type { Duplex } from 'node:stream';

const QUESTION = 'GET /_ping HTTP/1.1\r\nHost: wherry\r\nConnection: close\r\n\r\n';
const GOOD_ANSWER = 'HTTP/1.1 200 ';

/** Asks once and closes the connection. Never rejects. */
export function pingApi(connection: Duplex): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = '';
    connection.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    connection.once('error', () => resolve(false));
    connection.once('close', () => resolve(answer.startsWith(GOOD_ANSWER)));
    connection.write(QUESTION);
    connection.end();
  });
}
