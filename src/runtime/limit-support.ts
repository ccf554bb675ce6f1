/** Which limits this machine can set: what drivers find out and `docker info` tells. */

/** What can be limited by control groups. Without them, `cpus` and niceness are all there is. */
export interface LimitSupport {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly cpu: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  /** Limits of block devices. */
  readonly io: boolean;
  /** Shares of block devices: takes a scheduler that has them. */
  readonly ioWeight: boolean;
  readonly freezer: boolean;
  /** Numbers of the processors that containers can have. */
  readonly cpus: readonly number[];
  /** Why something is missing, as the end of a sentence: "no control group is delegated to this user". */
  readonly lack: string;
}
