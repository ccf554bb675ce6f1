/** Port: a program that runs virtual machines. Differences between drivers are data (`features`), never questions elsewhere. */
import type { Command } from '../../sys/exec/command.ts';

/** What a driver can do, each flag with what its absence means. */
export interface VmFeatures {
  /** Frees the host's memory that the guest has freed; otherwise the process keeps its largest size. */
  readonly returnsMemory: boolean;
  /** Passes on what the guest discards; otherwise the data disk only grows. */
  readonly returnsDisk: boolean;
  /** Shares a directory with the guest; otherwise bind mounts are those of the guest. */
  readonly sharesFiles: boolean;
  /** The processor helps; otherwise everything is slow and starting may take a minute. */
  readonly isAccelerated: boolean;
  /** Makes the guest's disks itself, and takes our programs from where they are installed. */
  readonly hasOwnDisk: boolean;
}

/** What a machine is made of. Paths are absolute. */
export interface VmParts {
  readonly kernel: string;
  readonly initialRoot: string;
  readonly root: string;
  readonly dataDisk: string;
  readonly programDisk: string;
  /** Unix socket that carries the channel; the driver makes it. */
  readonly channelSocket: string;
  readonly consoleLog: string;
  /** Who the guest's engine is: the caller, so that files which both see belong to one of them. */
  readonly user: { readonly uid: number; readonly gid: number };
  /** A directory of this host that appears at the same path in the guest. */
  readonly sharedDir: string | undefined;
  /** The API's socket on this host: containers that mount it get the guest's. */
  readonly apiSocket: string | undefined;
  readonly cpus: number;
  readonly memoryMb: number;
}

/** A driver, ready for this host. */
export interface VmDriver {
  readonly name: string;
  readonly features: VmFeatures;
  /** What is not as good as it could be, as sentences with the cure. */
  readonly notes: readonly string[];
  /** What has to be done before the command can run; absent for nothing. Resolves to what undoes it when that fails. */
  readonly prepare?: (parts: VmParts) => Promise<() => void>;
  /** The command that is the machine: it ends when the machine does. */
  command(parts: VmParts): Command;
}
