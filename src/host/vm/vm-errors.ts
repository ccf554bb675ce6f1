/** What can go wrong with the virtual machine. Every message names the stage or the cure. */
import { EngineError } from '../../shared/errors.ts';

/** No QEMU, or one that cannot be used. */
export const noQemu = (program: string) =>
  new EngineError(
    'unavailable',
    `${program} is not installed: --machine=qemu needs QEMU 7 or newer`,
  );

/** There is no image to boot, or a part of it is missing or cut short. */
export const unusableImage = (dir: string, problem: string, cause?: unknown) =>
  new EngineError(
    'unavailable',
    `the image of the virtual machine in ${dir} cannot be used: ${problem}; ` +
      'make it with "wherry vm build-image"',
    { cause },
  );

/** What lies at the place of the data disk is no file of ours. */
export const unusableDisk = (path: string, problem: string) =>
  new EngineError('unavailable', `the data disk ${path} cannot be used: ${problem}`);

/** The machine did not come up. `console` is the end of what it printed. */
export const vmDidNotStart = (stage: string, problem: string, console: string) =>
  new EngineError(
    'unavailable',
    `the virtual machine did not start: ${problem} (while ${stage})` +
      (console === '' ? '' : `; its console ends with:\n${console}`),
    { details: { stage } },
  );

/** A request came too early. */
export const vmStarting = (stage: string) =>
  new EngineError('unavailable', `the virtual machine is starting: ${stage}`);
