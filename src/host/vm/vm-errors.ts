/** What can go wrong with the virtual machine. Every message names the stage or the cure. */
import { EngineError } from '../../shared/errors.ts';

/** No QEMU, or one that cannot be used. */
export const noQemu = (program: string) =>
  new EngineError(
    'unavailable',
    `${program} is not installed: --machine=qemu needs QEMU 7 or newer`,
  );

/** No vfkit. */
export const noVfkit = () =>
  new EngineError(
    'unavailable',
    'vfkit is not installed, which runs virtual machines on macOS: brew install vfkit (or --machine=qemu, with QEMU)',
  );

/** No WSL 2; `problem` is what its own program says, empty when there is no such program. */
export const noWsl = (problem: string) =>
  new EngineError(
    'unavailable',
    'WSL 2 is not installed: run "wsl --install --no-distribution" once as administrator and restart the computer' +
      (problem === '' ? '' : ` (wsl.exe says: ${problem})`),
  );

/** wsl.exe failed at something. */
export const wslFailed = (what: string, problem: string) =>
  new EngineError('unavailable', `cannot ${what}: wsl.exe says: ${problem}`);

/** The server of the shared directory does not run. */
export const shareNotServed = (problem: string) =>
  new EngineError('unavailable', `virtiofsd cannot share the home with the machine: ${problem}`);

/** A path that the options of the machine's program cannot hold. */
export const unusablePath = (path: string) =>
  new EngineError(
    'invalid-argument',
    `a virtual machine cannot use a path with this character: ${path}`,
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

/** A value that no machine can have. */
export const badVmValue = (name: string, value: number, least: number) =>
  new EngineError(
    'invalid-argument',
    `${name}: ${value} is not a whole number of at least ${least}`,
  );

/** The data disk keeps what is in it. */
export const diskNeverShrinks = (gigabytes: number, now: number) =>
  new EngineError(
    'invalid-argument',
    `the data disk has ${now} GB and cannot shrink to ${gigabytes}; "wherry vm reset" makes a new one`,
  );

/** What it has on its disk cannot be taken from it while it runs. */
export const vmStillRuns = () =>
  new EngineError('conflict', 'the daemon runs; stop it first with "wherry vm stop"');
