import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExecHandle, OutputChunk } from '../../runtime/task-runner.ts';
import { systemClock } from '../../shared/clock.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { HealthConfig } from '../../wire/container-config.ts';
import type { ContainerDocument } from '../containers/container-document.ts';
import type { EngineEvent } from '../events/engine-event.ts';
import { type ExecDeps, ExecService } from '../exec/exec-service.ts';
import { type HealthDeps, HealthMonitors } from './health-monitors.ts';
import { initialHealth } from './health-record.ts';

const id = 'a'.repeat(64) as ContainerId;
const identity = { pid: 7, startTicks: 1, bootId: 'boot' };
const startedAt = '2026-01-01T00:00:00Z';
const task = { id, runtimeName: 'crun', init: identity, monitor: identity, startedAt };
const nothing = () => undefined;
const quiet = { debug: nothing, info: nothing, warn: nothing, error: nothing };

function running(Healthcheck: HealthConfig): ContainerDocument {
  const config = { Healthcheck };
  const status = { state: 'running', task, network: undefined };
  return { id, name: 'web', config, status, ...initialHealth({ config }) } as ContainerDocument;
}

/** A probe that printed something and ended with a code, or runs on until it is killed. */
function probe(exitCode: number | 'never', text = ''): ExecHandle {
  let end: (code: number) => void = () => undefined;
  const killed = new Promise<number>((resolve) => (end = resolve));
  const exit = exitCode === 'never' ? killed : Promise.resolve(exitCode);
  async function* output(): AsyncGenerator<OutputChunk> {
    yield { stream: 'stdout', data: Buffer.from(text) };
    await exit;
  }
  return {
    pid: 9,
    output: output(),
    exit,
    resize: () => Promise.resolve(),
    kill: async () => end(137),
  };
}

/** A monitor whose sleeps end when the test says so. */
function rig(first: ContainerDocument, probes: (ExecHandle | Error)[]) {
  let document = first;
  const sleeps: { readonly delayMs: number; readonly wake: () => void }[] = [];
  const actions: string[] = [];
  const deps = {
    registry: {
      get: () => document,
      resolve: () => document,
      tryGet: () => document,
      amend: async (_id: ContainerId, change: (from: ContainerDocument) => ContainerDocument) => {
        document = change(document);
        return document;
      },
    },
    clock: {
      ...systemClock,
      now: () => Date.parse(startedAt) + 1_000,
      sleep: (delayMs: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => {
          sleeps.push({ delayMs, wake: resolve });
          signal?.addEventListener('abort', () => resolve());
        }),
    },
    specs: { buildExec: async () => ({}) },
    snapshots: { mount: async () => '/rootfs' },
    tasks: {
      exec: async () => {
        const next = probes.shift();
        if (next === undefined || next instanceof Error) throw next ?? new Error('no more probes');
        return next;
      },
    },
    events: { publish: ({ action }: EngineEvent) => actions.push(action) },
    logger: quiet,
  } as unknown as ExecDeps & Omit<HealthDeps, 'exec'>;
  const exec = new ExecService(deps);
  return {
    monitors: new HealthMonitors({ ...deps, exec }),
    running: () => exec.runningIds(id),
    sleeps,
    actions,
    document: () => document,
    become: (change: Partial<ContainerDocument>) => {
      document = { ...document, ...change };
    },
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
const check = { Test: ['CMD', 'check', 'it'], Interval: 2e9, Timeout: 5e8, Retries: 1 };

test('a probe is run after each interval and its result recorded, with events', async () => {
  const { monitors, sleeps, actions, document } = rig(running(check), [probe(0, 'fine')]);
  monitors.begin(id);
  assert.equal(sleeps[0]?.delayMs, 2_000);
  sleeps[0].wake();
  await settled();
  const { status, log } = document().health ?? {};
  assert.deepEqual([status, log?.[0]?.exitCode, log?.[0]?.output], ['healthy', 0, 'fine']);
  assert.deepEqual(actions.slice(0, 2), ['exec_create: check it', 'exec_start: check it']);
  assert.deepEqual(actions.slice(2).sort(), ['exec_die', 'health_status: healthy']);
  assert.equal(sleeps.at(-1)?.delayMs, 2_000);
});

test('a probe is among the sessions while it runs; one that takes too long is killed and fails', async () => {
  const rigged = rig(running(check), [probe('never', 'slow')]);
  const { monitors, sleeps, document } = rigged;
  monitors.begin(id);
  sleeps[0]?.wake();
  await settled();
  assert.equal(rigged.running().length, 1);
  assert.equal(sleeps[1]?.delayMs, 500);
  sleeps[1].wake();
  await settled();
  const { status, log } = document().health ?? {};
  assert.equal(status, 'unhealthy');
  assert.equal(rigged.running().length, 0);
  assert.equal(log?.[0]?.exitCode, -1);
  assert.equal(log[0].output, 'Health check exceeded timeout (500ms): slow');
});

test('a probe that cannot be run fails with the reason', async () => {
  const { monitors, sleeps, document } = rig(running(check), [new Error('no such program')]);
  monitors.begin(id);
  sleeps[0]?.wake();
  await settled();
  const [entry] = document().health?.log ?? [];
  assert.deepEqual([entry?.exitCode, entry?.output], [-1, 'no such program']);
});

test('nothing is probed without a check, while paused, or after the end', async () => {
  const without = rig(running({ Test: ['NONE'] }), []);
  without.monitors.begin(id);
  assert.equal(without.sleeps.length, 0);
  const { monitors, sleeps, actions, become } = rig(running(check), []);
  monitors.begin(id);
  become({ status: { state: 'paused', task, network: undefined } });
  sleeps[0]?.wake();
  await settled();
  assert.equal(sleeps.length, 2);
  monitors.end(id);
  await settled();
  assert.deepEqual([sleeps.length, actions], [2, []]);
});

test('a probe of a run that has ended meanwhile is not recorded', async () => {
  const late = probe('never');
  const { monitors, sleeps, document, become } = rig(running(check), [late]);
  monitors.begin(id);
  sleeps[0]?.wake();
  await settled();
  const next = { ...task, startedAt: '2026-01-01T00:00:02Z' };
  become({ status: { state: 'running', task: next, network: undefined } });
  await late.kill();
  await settled();
  assert.deepEqual(document().health, { status: 'starting', failingStreak: 0, log: [] });
  monitors.close();
});
