/** `wherry daemon`: the daemon in the foreground. */
import { defineCommand } from 'citty';

/** Only its description: `bin` runs the daemon before any command is looked at, because its start is waited for. */
export const daemonCommand = defineCommand({
  meta: { name: 'daemon', description: 'Run the daemon in the foreground' },
});
