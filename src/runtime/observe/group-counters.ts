/** What a version 2 control group says of its processes: texts in, numbers out. */
import type { BlockDeviceUsage, CpuUsage } from '../task-observer.ts';

/** Processor time of a group, without what concerns the machine. */
export type GroupCpu = Omit<CpuUsage, 'machineNs' | 'onlineCpus'>;

const NS_PER_US = 1000;

/** Reads `memory.stat` or any file of lines `name number`. */
export function parseFlatKeyed(text: string): Readonly<Record<string, number>> {
  const rows = text
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([name, value]) => name !== '' && value !== undefined && /^\d+$/.test(value))
    .map(([name, value]) => [name, Number(value)]);
  return Object.fromEntries(rows);
}

/** Reads `cpu.stat`; the group has it even without the `cpu` controller. */
export function parseGroupCpu(text: string): GroupCpu {
  const values = parseFlatKeyed(text);
  const nanoseconds = (name: string) => (values[name] ?? 0) * NS_PER_US;
  return {
    totalNs: nanoseconds('usage_usec'),
    userNs: nanoseconds('user_usec'),
    kernelNs: nanoseconds('system_usec'),
    throttling: {
      periods: values['nr_periods'] ?? 0,
      throttledPeriods: values['nr_throttled'] ?? 0,
      throttledNs: nanoseconds('throttled_usec'),
    },
  };
}

/** Reads `io.stat`: lines such as `8:0 rbytes=1 wbytes=2 rios=3 …`. */
export function parseGroupIo(text: string): readonly BlockDeviceUsage[] {
  return text.split('\n').flatMap((line) => {
    const device = /^(\d+):(\d+) /.exec(line);
    if (device === null) return [];
    const bytes = (name: string) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1] ?? 0);
    return [
      {
        major: Number(device[1]),
        minor: Number(device[2]),
        readBytes: bytes('rbytes'),
        writtenBytes: bytes('wbytes'),
      },
    ];
  });
}

/** A limit file: a number, or undefined for `max` and for what cannot be read. */
export function parseLimit(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : undefined;
}
