import type { LimitSupport } from '../../runtime/limit-support.ts';

/** Facts of `docker info` and `docker version`, gathered by the engine. */

export interface RuntimeInfo {
  readonly name: string;
  readonly path: string;
  readonly version: string;
}

export interface SystemInfo {
  readonly id: string;
  readonly name: string;
  readonly containers: {
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  readonly images: number;
  readonly storageDriver: string;
  readonly storageStatus: readonly (readonly [string, string])[];
  readonly dataRoot: string;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** Docker's word: `x86_64`, `aarch64`. */
  readonly architecture: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly cgroupDriver: 'none' | 'cgroupfs' | 'systemd';
  readonly cgroupVersion: '1' | '2';
  readonly limits: LimitSupport;
  readonly defaultRuntime: string;
  readonly runtimes: readonly RuntimeInfo[];
  readonly monitorVersion: string;
  readonly securityOptions: readonly string[];
  readonly indexServerAddress: string;
  readonly cdiSpecDirs: readonly string[];
  /** Qualified names of CDI devices. */
  readonly devices: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly warnings: readonly string[];
  readonly serverVersion: string;
  readonly usage: { readonly openFiles: number; readonly eventListeners: number };
  /** Of containers that name none, and all that there are. */
  readonly logDrivers: { readonly default: string; readonly all: readonly string[] };
  readonly rootlessNetwork: { readonly driver: string; readonly version: string };
  readonly debug: boolean;
}
