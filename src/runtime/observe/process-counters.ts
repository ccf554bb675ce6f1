/** What `/proc` says of single processes and of the machine: texts in, numbers out (proc(5)). */

/** `USER_HZ`: clock ticks of `/proc` in a second, 100 on every architecture that Node runs on. */
const NS_PER_TICK = 1e9 / 100;
const BYTES_PER_KIBIBYTE = 1024;

/** Counters of one process. */
export interface ProcessCounters {
  /** Its own time and that of children it has waited for, in nanoseconds. */
  readonly userNs: number;
  readonly kernelNs: number;
  readonly threads: number;
  /** Resident memory in bytes, and its parts. */
  readonly residentBytes: number;
  readonly anonBytes: number;
  readonly fileBytes: number;
  readonly sharedBytes: number;
  /** Bytes that reached or left block devices, its waited-for children's included. */
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** The files that the counters come from; undefined for one that cannot be read. */
export interface ProcessTexts {
  /** `/proc/PID/stat` */
  readonly stat: string | undefined;
  /** `/proc/PID/status` */
  readonly status: string | undefined;
  /** `/proc/PID/io` */
  readonly io: string | undefined;
}

/** Counters of one process; what is not told counts as zero. */
export function parseProcessCounters({ stat = '', status = '', io = '' }: ProcessTexts) {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (at: number) => numberOf(fields[at]) * NS_PER_TICK;
  const kibibytes = (name: string) => labelled(status, name) * BYTES_PER_KIBIBYTE;
  return {
    userNs: ticks(11) + ticks(13),
    kernelNs: ticks(12) + ticks(14),
    threads: labelled(status, 'Threads'),
    residentBytes: kibibytes('VmRSS'),
    anonBytes: kibibytes('RssAnon'),
    fileBytes: kibibytes('RssFile'),
    sharedBytes: kibibytes('RssShmem'),
    readBytes: labelled(io, 'read_bytes'),
    writtenBytes: labelled(io, 'write_bytes'),
  } satisfies ProcessCounters;
}

/** Time of all processors together (idle included, guests not counted twice), and how many there are. */
export interface MachineTime {
  readonly machineNs: number;
  readonly onlineCpus: number;
}

/** Reads `/proc/stat`. The first seven columns are what Docker adds up. */
export function parseMachineTime(text: string): MachineTime {
  const columns = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').slice(0, 7) ?? [];
  const ticks = columns.reduce((sum, column) => sum + numberOf(column), 0);
  return {
    machineNs: ticks * NS_PER_TICK,
    onlineCpus: text.match(/^cpu\d+ /gm)?.length ?? 0,
  };
}

/** Value of a line `Name:   123 kB`, 0 when it is missing. */
function labelled(text: string, name: string): number {
  return numberOf(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1]);
}

function numberOf(text: string | undefined): number {
  const value = Number(text ?? 0);
  return Number.isFinite(value) ? value : 0;
}
