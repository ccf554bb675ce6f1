import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FAKE_USAGE } from '../../../test/support/fake-usage.ts';
import { toContainerStats } from './container-stats.ts';

test('every number of a measurement has its place', () => {
  const cpu = {
    cpu_usage: { total_usage: 30, usage_in_kernelmode: 10, usage_in_usermode: 20 },
    system_cpu_usage: 4000,
    online_cpus: 2,
    throttling_data: { periods: 5, throttled_periods: 3, throttled_time: 7 },
  };
  const stats = toContainerStats({
    id: 'abc',
    name: 'web',
    readAt: '2024-01-01T00:00:01Z',
    usage: FAKE_USAGE,
    previous: { readAt: '2024-01-01T00:00:00Z', cpu: FAKE_USAGE.cpu },
  });
  assert.deepEqual(stats, {
    name: '/web',
    id: 'abc',
    read: '2024-01-01T00:00:01Z',
    preread: '2024-01-01T00:00:00Z',
    pids_stats: { current: 3, limit: 100 },
    blkio_stats: {
      io_service_bytes_recursive: [
        { major: 8, minor: 1, op: 'read', value: 11 },
        { major: 8, minor: 1, op: 'write', value: 12 },
      ],
      io_serviced_recursive: null,
      io_queue_recursive: null,
      io_service_time_recursive: null,
      io_wait_time_recursive: null,
      io_merged_recursive: null,
      io_time_recursive: null,
      sectors_recursive: null,
    },
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpu,
    precpu_stats: cpu,
    memory_stats: { usage: 1024, stats: { anon: 512 }, limit: 4096 },
    networks: {
      eth0: {
        rx_bytes: 21,
        rx_packets: 22,
        rx_errors: 23,
        rx_dropped: 24,
        tx_bytes: 31,
        tx_packets: 32,
        tx_errors: 33,
        tx_dropped: 34,
      },
    },
  });
});
