/** What is measured of an engine. Each section takes a subject and gives named numbers. */

import { setTimeout as pause } from 'node:timers/promises';
import { measureBuilds } from './build-section.ts';
import { measureFleet, measureList, measureNetworks } from './fleet-sections.ts';
import { measureImageTransfers } from './image-transfers.ts';
import { measureLogs } from './logs-section.ts';
import { cpuTicks, medianMs, namedPids, pssBytes } from './measure.ts';
import { measureNames } from './names-section.ts';
import { measureNetwork } from './network-section.ts';
import { ApiClient, runClient, type Subject } from './subject.ts';

/** One number with its unit in the name: `… ms`, `… MB`. */
export type Reading = readonly [measure: string, value: number];

/** The parts of a run that can be chosen. */
export type Section =
  | 'start'
  | 'api'
  | 'exec'
  | 'daemon'
  | 'memory'
  | 'fleet'
  | 'list'
  | 'idle'
  | 'images'
  | 'logs'
  | 'network'
  | 'names'
  | 'networks'
  | 'build';

const CONTAINERS_FOR_MEMORY = 5;
const CONTAINERS_FOR_IDLENESS = 50;
/** After the last start, until garbage of the starts is collected; and then how long nothing is asked of the engine. */
const SETTLE_MS = 10_000;
const IDLE_WINDOW_MS = 20_000;
const TICKS_PER_SECOND = 100;
/** What watches over containers: our monitor and those of peers. */
const MONITOR = /^conmon|^containerd-shim/;
const BYTES_PER_MB = 1_000_000;

/** Measures a section; `rounds` is how often each timed step is repeated. */
export const SECTIONS: Readonly<
  Record<Section, (subject: Subject, rounds: number) => Promise<readonly Reading[]>>
> = {
  start: measureStart,
  api: measureApi,
  exec: measureExec,
  daemon: async ({ coldStartMs }) => [['daemon start to first ping, ms', coldStartMs]],
  memory: measureMemory,
  fleet: measureFleet,
  list: measureList,
  idle: measureIdle,
  images: measureImageTransfers,
  logs: measureLogs,
  network: measureNetwork,
  build: measureBuilds,
  names: measureNames,
  networks: measureNetworks,
};

async function measureStart(subject: Subject, rounds: number): Promise<readonly Reading[]> {
  const run = (...flags: readonly string[]) =>
    medianMs(rounds, () => runClient(subject, 'run', '--rm', ...flags, subject.image, 'true'));
  return [
    ['run --rm true, no network, ms', await run('--network', 'none')],
    ['run --rm true, default network, ms', await run()],
  ];
}

async function measureApi(subject: Subject, rounds: number): Promise<readonly Reading[]> {
  using api = new ApiClient(subject);
  const body = { Image: subject.image, Cmd: ['true'], HostConfig: { NetworkMode: 'none' } };
  let started = 0;
  const startTimes: number[] = [];
  const whole = await medianMs(rounds, async () => {
    started = performance.now();
    const id = await create(api, body);
    await api.call('POST', `/containers/${id}/start`);
    startTimes.push(performance.now() - started);
    await api.call('POST', `/containers/${id}/wait`);
    await api.call('DELETE', `/containers/${id}?force=1`);
  });
  const sorted = startTimes.toSorted((a, b) => a - b);
  return [
    ['API create + start, no network, ms', sorted[sorted.length >> 1] ?? Number.NaN],
    ['API create + start + wait + remove, ms', whole],
  ];
}

async function measureExec(subject: Subject, rounds: number): Promise<readonly Reading[]> {
  const name = 'bench-exec';
  await runClient(
    subject,
    'run',
    '-d',
    '--name',
    name,
    '--network',
    'none',
    subject.image,
    'sleep',
    '1000',
  );
  const cli = await medianMs(rounds, () => runClient(subject, 'exec', name, 'true'));
  using api = new ApiClient(subject);
  const bare = await medianMs(rounds, async () => {
    const body = { Cmd: ['true'], AttachStdout: true };
    const answer = await api.call('POST', `/containers/${name}/exec`, body);
    const { Id } = JSON.parse(answer.toString());
    await api.call('POST', `/exec/${Id}/start`, {});
  });
  await runClient(subject, 'rm', '-f', name);
  return [
    ['exec true, ms', cli],
    ['exec true by the API, ms', bare],
  ];
}

async function measureMemory(subject: Subject): Promise<readonly Reading[]> {
  const idle = await pssBytes(await subject.processIds());
  const flags = ['run', '-d', '--network', 'none', subject.image, 'sleep', '1000'];
  const ids: string[] = [];
  for (let count = 0; count < CONTAINERS_FOR_MEMORY; count++) {
    ids.push(await runClient(subject, ...flags));
  }
  const busy = await pssBytes(await subject.processIds());
  await runClient(subject, 'rm', '-f', ...ids);
  return [
    ['idle, all processes, MB', idle / BYTES_PER_MB],
    ['per running container, MB', (busy - idle) / CONTAINERS_FOR_MEMORY / BYTES_PER_MB],
  ];
}

/** What many containers cost that do nothing. */
async function measureIdle(subject: Subject): Promise<readonly Reading[]> {
  const flags = ['run', '-d', '--network', 'none', subject.image, 'sleep', '1000'];
  const ids: string[] = [];
  const bytesWithout = await pssBytes(await subject.processIds());
  for (let count = 0; count < CONTAINERS_FOR_IDLENESS; count++) {
    ids.push(await runClient(subject, ...flags));
  }
  await pause(SETTLE_MS);
  const pids = await subject.processIds();
  const before = await cpuTicks(pids);
  await pause(IDLE_WINDOW_MS);
  const used = (await cpuTicks(pids)) - before;
  const bytesOfAll = (await pssBytes(pids)) - bytesWithout;
  const monitors = await pssBytes(await namedPids(pids, MONITOR));
  await runClient(subject, 'rm', '-f', ...ids);
  const share = (100 * used) / TICKS_PER_SECOND / (IDLE_WINDOW_MS / 1000);
  return [
    [`CPU with ${CONTAINERS_FOR_IDLENESS} idle containers, %`, share],
    ['each of them, all processes, MB', bytesOfAll / CONTAINERS_FOR_IDLENESS / BYTES_PER_MB],
    ['monitor of each, MB', monitors / CONTAINERS_FOR_IDLENESS / BYTES_PER_MB],
  ];
}

async function create(api: ApiClient, body: unknown): Promise<string> {
  const answer: { Id: string } = JSON.parse(
    (await api.call('POST', '/containers/create', body)).toString(),
  );
  return answer.Id;
}
