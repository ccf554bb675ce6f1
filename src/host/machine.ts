/** Port: what a `wherry` command can do with the machine. Implemented below `control/`, chosen in `bin`. */
import type { MachineReport } from '../handshake/machine-report.ts';
import type { StorageFinding, StorageSummary } from '../handshake/storage-report.ts';

/** Values of daemon flags by flag name, in the order given; every value is a text. */
export type DaemonFlags = ReadonlyMap<string, readonly string[]>;

/** Flags of the daemon with the place of its configuration file. */
export interface DaemonArguments {
  readonly flags: DaemonFlags;
  /** `--config-file`; absent for the default place. */
  readonly configFile?: string;
}

/** What `up` did. */
export interface UpReport {
  readonly outcome: 'started' | 'already-running';
  /** The address to use. */
  readonly host: string;
  /** Name of the docker context that leads there; absent when it could not be written. */
  readonly context?: string;
  /** Links made (or found) where tools probe for a socket. */
  readonly links: readonly string[];
  readonly warnings: readonly string[];
  /** Where the daemon in the background logs to. */
  readonly logPath: string;
}

/** What `down` found. `cleaned`: the host was gone already, its leftovers have been ended. */
export type DownOutcome = 'stopped' | 'cleaned' | 'not-running';

/** One question of `doctor` with its answer. */
export interface DoctorCheck {
  readonly name: string;
  /** `missing` stops the daemon, `limited` takes something away from it. */
  readonly state: 'ok' | 'limited' | 'missing';
  /** What was found, or what lacks. */
  readonly detail: string;
  /** What to do about it; absent when all is well. */
  readonly cure?: string;
}

/** How the storage is to be checked. */
export interface StorageCheckOptions {
  readonly repairs: boolean;
  /** Also compare the contents of unpacked files. */
  readonly deep: boolean;
  /** Called for each finding when it is settled. */
  readonly onFinding: (finding: StorageFinding) => void;
}

/** A docker context as `wherry context` shows it. */
export interface ContextReport {
  readonly name: string;
  readonly host: string;
  /** Whether the docker client uses it when it is told nothing else. */
  readonly current: boolean;
  readonly written: boolean;
}

/** A running container on a network. */
export interface GraphMember {
  readonly container: string;
  readonly addresses: readonly string[];
  /** Names that it is found by on this network, besides its own. */
  readonly names: readonly string[];
  /** Other networks that it is on: it can pass on what it hears. */
  readonly alsoOn: readonly string[];
  /** Containers that use its interfaces as their own. */
  readonly sharedBy: readonly string[];
  /** `ADDRESS:PORT to PORT/PROTOCOL`. */
  readonly published: readonly string[];
}

/** A network and who is on it. */
export interface GraphNetwork {
  readonly name: string;
  readonly driver: string;
  /** True when nothing leads outside. */
  readonly internal: boolean;
  readonly subnets: readonly string[];
  readonly members: readonly GraphMember[];
}

/** The machine as commands see it. */
export interface HostControl {
  /** Starts the daemon in the background and waits until its API answers. Idempotent. */
  up(daemon: DaemonArguments): Promise<UpReport>;
  /** Stops the daemon with its containers, or cleans up after one that was killed. Idempotent. */
  down(daemon: DaemonArguments): Promise<DownOutcome>;
  /** Never rejects for a machine in a bad state: that is what the report tells. */
  status(daemon: DaemonArguments): Promise<MachineReport>;
  doctor(daemon: DaemonArguments): Promise<readonly DoctorCheck[]>;
  /** Compares what is stored with the digests that name it. The daemon must run. */
  checkStorage(daemon: DaemonArguments, options: StorageCheckOptions): Promise<StorageSummary>;
  /** Who is on which network. The daemon must run. */
  networkGraph(daemon: DaemonArguments): Promise<readonly GraphNetwork[]>;
  /** Path of the background daemon's log. */
  logPath(daemon: DaemonArguments): Promise<string>;
  context(daemon: DaemonArguments, action: 'show' | 'use' | 'remove'): Promise<ContextReport>;
}
