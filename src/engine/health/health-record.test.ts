import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  afterProbe,
  type HealthRecord,
  healthAfterRun,
  initialHealth,
  probeDelayMs,
} from './health-record.ts';
import { healthSettings } from './health-settings.ts';

const settings = {
  args: ['true'],
  intervalMs: 30_000,
  timeoutMs: 30_000,
  startPeriodMs: 10_000,
  startIntervalMs: 1_000,
  retries: 2,
};
const run = { settings, startedAt: '2026-01-01T00:00:00Z' };
const starting: HealthRecord = { status: 'starting', failingStreak: 0, log: [] };

const probe = (exitCode: number, start = '2026-01-01T00:01:00Z') => ({
  start,
  end: start,
  exitCode,
  output: '',
});
const early = (exitCode: number) => probe(exitCode, '2026-01-01T00:00:05Z');

test('one success makes a container healthy', () => {
  const failing = { ...starting, failingStreak: 1 };
  const { status, failingStreak } = afterProbe(failing, early(0), run);
  assert.deepEqual([status, failingStreak], ['healthy', 0]);
});

test('failures in a row make it unhealthy, fewer do not', () => {
  const once = afterProbe({ ...starting, status: 'healthy' }, probe(1), run);
  assert.deepEqual([once.status, once.failingStreak], ['healthy', 1]);
  const twice = afterProbe(once, probe(-1), run);
  assert.deepEqual([twice.status, twice.failingStreak], ['unhealthy', 2]);
  assert.equal(afterProbe(twice, probe(0), run).status, 'healthy');
});

test('failures in the start period do not count until it was healthy once', () => {
  assert.equal(afterProbe(starting, early(1), run).failingStreak, 0);
  assert.equal(afterProbe({ ...starting, status: 'healthy' }, early(1), run).failingStreak, 1);
});

test('the last five probes are kept', () => {
  let record = starting;
  for (let code = 1; code <= 7; code++) record = afterProbe(record, probe(code), run);
  assert.deepEqual(
    record.log.map(({ exitCode }) => exitCode),
    [3, 4, 5, 6, 7],
  );
});

test('a starting container is probed more often within its start period', () => {
  assert.equal(probeDelayMs('starting', 9_999, settings), 1_000);
  assert.equal(probeDelayMs('starting', 10_000, settings), 30_000);
  assert.equal(probeDelayMs('healthy', 0, settings), 30_000);
});

test('each run starts anew with the old log and ends unhealthy', () => {
  const config = { Healthcheck: { Test: ['CMD', 'true'] } };
  const old = { status: 'unhealthy', failingStreak: 4, log: [probe(1)] } as const;
  const { health } = initialHealth({ config, health: old });
  assert.deepEqual(health, { status: 'starting', failingStreak: 0, log: [probe(1)] });
  assert.deepEqual(initialHealth({ config: {} }), {});
  assert.equal(healthAfterRun({ health: starting }).health?.status, 'unhealthy');
  assert.deepEqual(healthAfterRun({}), {});
});

test('a check runs its command, or a line in the shell of the image', () => {
  const args = (Test: string[], Shell?: string[]) =>
    healthSettings({ Healthcheck: { Test }, ...(Shell === undefined ? {} : { Shell }) })?.args;
  assert.deepEqual(args(['CMD', 'curl', '-f']), ['curl', '-f']);
  assert.deepEqual(args(['CMD-SHELL', 'curl -f']), ['/bin/sh', '-c', 'curl -f']);
  assert.deepEqual(args(['CMD-SHELL', 'x'], ['bash', '-c']), ['bash', '-c', 'x']);
  for (const none of [['NONE'], [], ['CMD'], ['OTHER', 'x']]) assert.equal(args(none), undefined);
});

test('a check has the defaults of Docker', () => {
  const given = { Test: ['CMD', 'x'], Interval: 2e9, Timeout: 5e8, StartPeriod: 1e9, Retries: 7 };
  assert.deepEqual(healthSettings({ Healthcheck: { Test: ['CMD', 'x'] } }), {
    args: ['x'],
    intervalMs: 30_000,
    timeoutMs: 30_000,
    startPeriodMs: 0,
    startIntervalMs: 5_000,
    retries: 3,
  });
  assert.deepEqual(healthSettings({ Healthcheck: given }), {
    args: ['x'],
    intervalMs: 2_000,
    timeoutMs: 500,
    startPeriodMs: 1_000,
    startIntervalMs: 5_000,
    retries: 7,
  });
});
