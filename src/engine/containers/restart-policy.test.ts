import assert from 'node:assert/strict';
import { test } from 'node:test';
import { restartDelayAfter, startsWithEngine } from './restart-policy.ts';

const container = (Name: string, MaximumRetryCount = 0) => ({
  hostConfig: { RestartPolicy: { Name, MaximumRetryCount } },
  restartCount: 0,
});

const ended = (exitCode: number, finishedAt = '2026-01-01T00:00:01Z') => ({
  exitCode,
  startedAt: '2026-01-01T00:00:00Z',
  finishedAt,
  oomKilled: false,
  error: '',
});

const TABLE = [
  ['no', 0, 1, false],
  ['always', 0, 0, true],
  ['always', 0, 1, true],
  ['unless-stopped', 0, 0, true],
  ['on-failure', 0, 0, false],
  ['on-failure', 0, 1, true],
  ['on-failure', 3, 1, true],
] as const;

for (const [name, most, exitCode, restarts] of TABLE) {
  test(`${name}:${most} after exit code ${exitCode}: ${restarts ? 'restarts' : 'stays'}`, () => {
    const delayMs = restartDelayAfter(container(name, most), ended(exitCode));
    assert.equal(delayMs, restarts ? 100 : undefined);
  });
}

test('on-failure gives up after its maximum', () => {
  const tried = (restartCount: number) => ({ ...container('on-failure', 2), restartCount });
  assert.equal(restartDelayAfter(tried(1), ended(1)), 100);
  assert.equal(restartDelayAfter(tried(2), ended(1)), undefined);
});

test('the wait doubles up to a minute, and begins anew after a run of ten seconds', () => {
  const after = (restartDelayMs: number, finishedAt?: string) =>
    restartDelayAfter({ ...container('always'), restartDelayMs }, ended(0, finishedAt));
  assert.equal(after(100), 200);
  assert.equal(after(51_200), 60_000);
  assert.equal(after(60_000), 60_000);
  assert.equal(after(60_000, '2026-01-01T00:00:10Z'), 100);
});

test('a container that was stopped by hand is not restarted', () => {
  const stopped = { ...container('always'), hasBeenManuallyStopped: true };
  assert.equal(restartDelayAfter(stopped, ended(137)), undefined);
});

test('with the daemon start those that always run, and those not stopped by hand', () => {
  const stopped = (name: string) => ({ ...container(name), hasBeenManuallyStopped: true });
  const names = ['no', 'on-failure', 'unless-stopped', 'always'];
  assert.deepEqual(
    names.filter((name) => startsWithEngine(container(name), true)),
    ['unless-stopped', 'always'],
  );
  assert.deepEqual(
    names.filter((name) => startsWithEngine(stopped(name), true)),
    ['always'],
  );
  assert.deepEqual(
    names.filter((name) => startsWithEngine(stopped(name), false)),
    [],
  );
});
