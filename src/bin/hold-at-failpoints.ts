/** Stops this process at named points, for the crash tests. Off unless a variable that only they set is there. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Failpoints, NO_FAILPOINTS } from '../shared/failpoints.ts';

/** Names a directory: the engine holds at every point that has a file of its name in there, once for each file. */
export const FAILPOINTS_VARIABLE = 'WHERRY_FAILPOINTS';

/** Points that stop the process as SIGSTOP does; it can then be killed, or told to go on. */
export function holdAtFailpoints(
  environment: Readonly<Record<string, string | undefined>>,
): Failpoints {
  const dir = environment[FAILPOINTS_VARIABLE];
  if (dir === undefined) return NO_FAILPOINTS;
  return {
    hit: (point) => {
      const armed = join(dir, point);
      if (!existsSync(armed)) return;
      rmSync(armed);
      process.kill(process.pid, 'SIGSTOP');
    },
  };
}
