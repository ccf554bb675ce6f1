import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFlatKeyed, parseGroupCpu, parseGroupIo, parseLimit } from './group-counters.ts';
import { parseInterfaceTraffic } from './interface-traffic.ts';
import { parseMachineTime, parseProcessCounters } from './process-counters.ts';

test('a process counts its own time and that of children it waited for', () => {
  const stat = '31 (a) b (c) S 7 8 8 0 -1 4194560 1 0 0 0 100 20 3 4 20 0 1 0 4242 1000 20';
  const counters = parseProcessCounters({ stat, status: undefined, io: undefined });
  assert.equal(counters.userNs, 1_030_000_000);
  assert.equal(counters.kernelNs, 240_000_000);
  assert.equal(counters.threads, 0);
});

test('memory is told in bytes, input and output as it reached devices', () => {
  const status = [
    'Name:\tVmRSS: 9',
    'VmRSS:\t    1200 kB',
    'RssAnon:\t     200 kB',
    'RssFile:\t    1000 kB',
    'RssShmem:\t       0 kB',
    'Threads:\t3',
  ].join('\n');
  const io = 'rchar: 999\nwchar: 999\nread_bytes: 4096\nwrite_bytes: 8192\n';
  const counters = parseProcessCounters({ stat: undefined, status, io });
  assert.deepEqual(
    [counters.residentBytes, counters.anonBytes, counters.fileBytes, counters.sharedBytes],
    [1_228_800, 204_800, 1_024_000, 0],
  );
  assert.deepEqual([counters.threads, counters.readBytes, counters.writtenBytes], [3, 4096, 8192]);
});

test('the machine’s time holds what is idle, and guests once', () => {
  const text =
    'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 0 0 0\ncpu12 0 0 0 0 0 0 0 0 0 0\nintr 5\n';
  assert.deepEqual(parseMachineTime(text), { machineNs: 280_000_000, onlineCpus: 2 });
});

test('interfaces are counted in both directions, the loopback is not', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop',
    '    lo:     500       5    0    0    0     0          0         0      500       5    0    0 0 0 0 0',
    '  eth0:12345678      90    1    2    0     0          0         0      700       8    3    4 0 0 0 0',
    '',
  ].join('\n');
  assert.deepEqual(parseInterfaceTraffic(text), {
    eth0: {
      received: { bytes: 12_345_678, packets: 90, errors: 1, dropped: 2 },
      sent: { bytes: 700, packets: 8, errors: 3, dropped: 4 },
    },
  });
});

test('a control group tells time in nanoseconds, with its throttling', () => {
  const text =
    'usage_usec 30\nuser_usec 20\nsystem_usec 10\nnr_periods 4\nnr_throttled 2\nthrottled_usec 9\n';
  assert.deepEqual(parseGroupCpu(text), {
    totalNs: 30_000,
    userNs: 20_000,
    kernelNs: 10_000,
    throttling: { periods: 4, throttledPeriods: 2, throttledNs: 9_000 },
  });
});

test('a control group tells bytes by device, and devices without bytes too', () => {
  const text = '8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n254:0 \n';
  assert.deepEqual(parseGroupIo(text), [
    { major: 8, minor: 16, readBytes: 1_459_200, writtenBytes: 314_773_504 },
    { major: 254, minor: 0, readBytes: 0, writtenBytes: 0 },
  ]);
});

test('parts of memory keep the kernel’s names; "max" is no limit', () => {
  assert.deepEqual(parseFlatKeyed('anon 5\ninactive_file 7\n'), { anon: 5, inactive_file: 7 });
  assert.deepEqual([parseLimit('1024\n'), parseLimit('max\n')], [1024, undefined]);
});
