/** Mount options as users write them (mount(8)), for mount(2). */
import { MountFlag } from '../../sys/libc.ts';

/** The two arguments of mount(2) that options become. */
export interface MountArguments {
  /** Or-ed `MountFlag` values. */
  readonly flags: number;
  /** What the file system itself reads, joined by commas. */
  readonly data: string;
}

const SET: ReadonlyMap<string, number> = new Map([
  ['ro', MountFlag.readOnly],
  ['nosuid', MountFlag.noSuid],
  ['nodev', MountFlag.noDev],
  ['noexec', MountFlag.noExec],
  ['noatime', MountFlag.noAtime],
]);

const CLEARED: ReadonlyMap<string, number> = new Map([
  ['rw', MountFlag.readOnly],
  ['suid', MountFlag.noSuid],
  ['dev', MountFlag.noDev],
  ['exec', MountFlag.noExec],
  ['atime', MountFlag.noAtime],
]);

/** Words with a flag of their own become flags, the last of two opposites counting; the rest is data. */
export function parseMountOptions(options: readonly string[]): MountArguments {
  let flags = 0;
  const data: string[] = [];
  for (const option of options) {
    const set = SET.get(option);
    const cleared = CLEARED.get(option);
    if (set !== undefined) flags |= set;
    else if (cleared !== undefined) flags &= ~cleared;
    else data.push(option);
  }
  return { flags, data: data.join(',') };
}
