/** The guest's own program: `guest API-SOCKET MARKER`. Makes the file MARKER and ends when the guest is to shut down. */
import { writeFileSync } from 'node:fs';
import { runGuestAgent } from '../guest/guest-agent.ts';
import { openTransport } from '../guest/open-transport.ts';
import { messageOf } from '../shared/errors.ts';

const [apiSocket = '', marker = ''] = process.argv.slice(2);
try {
  const isTold = await runGuestAgent({
    transport: await openTransport(process.env['WHERRY_CHANNEL']),
    apiSocket,
  });
  if (isTold) writeFileSync(marker, '');
} catch (error) {
  console.error(`wherry: ${messageOf(error)}`);
}
// An orderly exit waits for the thread that reads from the port, which may wait for ever.
process.kill(process.pid, 'SIGKILL');
