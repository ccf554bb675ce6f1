/** Port: what `wherry vm` can do with the image of the virtual machine. Implemented in `bin`. */

import type { DaemonArguments } from './machine.ts';

/** What there is for one kind of processor. */
export interface VmImageReport {
  readonly dir: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
  }[];
}

/** Values of flags; absent ones have the recipe's or this machine's value. */
export interface BuildImageOptions {
  readonly architecture?: string;
  readonly outputDir?: string;
  readonly recipeDir?: string;
  readonly archive?: string;
  readonly npmRegistry?: string;
  /** Also a root for WSL. */
  readonly withTar: boolean;
  /** Also packed files, to be served to `pullImage`. */
  readonly withPacked: boolean;
}

export interface PullImageOptions {
  /** Directory of a published image, a URL. */
  readonly url: string;
  /** Of its `image.json`, in hex; absent to trust the server. */
  readonly sha256?: string;
  readonly outputDir?: string;
}

/** What a machine may be given; absent for what stays as it is. */
export interface VmChange {
  readonly cpus?: number;
  readonly memoryMb?: number;
  readonly diskGb?: number;
}

/** `onStep` is told what is being done. */
export interface VmControl {
  /** Writes the change into the daemon's configuration file, whose path it answers; it counts from the next start on. */
  configure(daemon: DaemonArguments, change: VmChange): Promise<string>;
  /** Removes everything that the machine has kept; false when there was nothing. `conflict` while it runs. */
  reset(daemon: DaemonArguments): Promise<boolean>;
  /** Where the console of the machine is logged to while it runs. */
  consoleLog(daemon: DaemonArguments): Promise<string>;
  buildImage(options: BuildImageOptions, onStep: (text: string) => void): Promise<VmImageReport>;
  pullImage(options: PullImageOptions, onStep: (text: string) => void): Promise<VmImageReport>;
}
