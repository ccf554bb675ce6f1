/**
 * The guest's own program: `guest API-SOCKET DOOR MARKER UID:GID`. The guest's daemon, of that user, asks the host
 * at the socket DOOR. Makes the file MARKER and ends when the guest is to shut down.
 */
import { writeFileSync } from 'node:fs';
import { runGuestAgent } from '../guest/guest-agent.ts';
import { openTransport } from '../guest/open-transport.ts';
import { openOuterDoor } from '../guest/outer-door.ts';
import { openDoor } from '../guest/port-clients.ts';
import { messageOf } from '../shared/errors.ts';

const [apiSocket = '', door = '', marker = '', user = ''] = process.argv.slice(2);
const [uid = 0, gid = 0] = user.split(':').map(Number);
try {
  openDoor();
  const isTold = await runGuestAgent({
    transport: await openTransport(process.env['WHERRY_CHANNEL']),
    apiSocket,
    onChannel: (channel) =>
      openOuterDoor({ path: door, owner: { uid, gid }, open: (target) => channel.open(target) }),
  });
  if (isTold) writeFileSync(marker, '');
} catch (error) {
  console.error(`wherry: ${messageOf(error)}`);
}
// An orderly exit waits for the thread that reads from the port, which may wait for ever.
process.kill(process.pid, 'SIGKILL');
