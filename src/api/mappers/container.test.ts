import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ContainerDocument,
  ContainerStatus,
} from '../../engine/containers/container-document.ts';
import { digestOf } from '../../oci/digest.ts';
import type { ContainerId, NetworkId } from '../../shared/ids.ts';
import type { ApiVersion } from '../../wire/api-version.ts';
import type { ContainerView } from '../backends.ts';
import { toContainerInspect, toContainerSummary } from './container.ts';
import { humanDuration, statusText, toState } from './container-status.ts';

const ID = 'a'.repeat(64) as ContainerId;
const NOW_MS = Date.parse('2024-05-06T07:10:00Z');
const LAST = {
  exitCode: 3,
  startedAt: '2024-05-06T07:00:00Z',
  finishedAt: '2024-05-06T07:08:00Z',
  oomKilled: false,
  error: '',
};
const IDENTITY = { pid: 42, startTicks: 1, bootId: 'b' };
const RUNNING: ContainerStatus = {
  state: 'running',
  task: {
    id: ID,
    runtimeName: 'crun',
    init: IDENTITY,
    monitor: IDENTITY,
    startedAt: '2024-05-06T07:09:57Z',
  },
  network: {
    netnsPath: '/run/netns/a',
    endpoints: [
      {
        networkName: 'bridge',
        networkId: 'n'.repeat(64) as NetworkId,
        endpointId: 'e'.repeat(64),
        ipAddress: '172.17.0.2',
        prefixLength: 16,
        gateway: '172.17.0.1',
        macAddress: '02:42:ac:11:00:02',
      },
    ],
    published: [
      { protocol: 'tcp', containerPort: 80, hostIp: '', hostPort: 8080 },
      { protocol: 'udp', containerPort: 53, hostIp: '127.0.0.1', hostPort: 5353 },
    ],
  },
};

function view(status: ContainerStatus, change: Partial<ContainerDocument> = {}): ContainerView {
  return {
    links: [],
    linkNames: [],
    document: {
      v: 1,
      id: ID,
      name: 'web',
      createdAt: '2024-05-06T07:00:00Z',
      imageRef: 'busybox',
      imageId: digestOf('busybox'),
      parentChainId: null,
      config: {
        Entrypoint: ['sh', '-c'],
        Cmd: ['echo hi'],
        ExposedPorts: { '80/tcp': {}, '90/tcp': {} },
      },
      hostConfig: {},
      endpointSettings: {},
      mounts: [],
      runtimeName: 'crun',
      restartCount: 0,
      status,
      ...change,
    },
    imageStillTagged: true,
    logPath: '/log',
    nameFiles: { hosts: '/hosts', hostname: '/hostname', resolvConf: '/resolv.conf' },
    pid: 42,
    execIds: [],
    graphDriver: { name: 'overlay', data: {} },
  };
}

type Json = { [key: string]: unknown };
const VERSION = '1.51' as ApiVersion;
const summary = (of: ContainerView) =>
  toContainerSummary(of, { nowMs: NOW_MS, version: VERSION }) as Json;
const inspect = (of: ContainerView) => toContainerInspect(of, VERSION) as { [key: string]: Json };

test('each status has its words', () => {
  const texts: [ContainerStatus, string][] = [
    [{ state: 'created' }, 'Created'],
    [{ state: 'starting', before: 'created' }, 'Created'],
    [{ state: 'starting', before: 'exited', last: LAST }, 'Exited (3) 2 minutes ago'],
    [RUNNING, 'Up 3 seconds'],
    [{ ...RUNNING, state: 'paused' }, 'Up 3 seconds (Paused)'],
    [{ ...RUNNING, state: 'stopping' }, 'Up 3 seconds'],
    [{ state: 'exited', last: LAST }, 'Exited (3) 2 minutes ago'],
    [{ state: 'restarting', last: LAST }, 'Restarting (3) 2 minutes ago'],
    [{ state: 'starting', before: 'restarting', last: LAST }, 'Restarting (3) 2 minutes ago'],
    [{ state: 'removing' }, 'Removal In Progress'],
    [{ state: 'dead' }, 'Dead'],
  ];
  for (const [status, text] of texts) assert.equal(statusText({ status }, NOW_MS), text);
});

test('durations read as in docker ps', () => {
  const cases: [number, string][] = [
    [0.5, 'Less than a second'],
    [1, '1 second'],
    [59, '59 seconds'],
    [60, 'About a minute'],
    [125, '2 minutes'],
    [3600, 'About an hour'],
    [5400, '2 hours'],
    [47 * 3600, '47 hours'],
    [3 * 86_400, '3 days'],
    [15 * 86_400, '2 weeks'],
    [61 * 86_400, '2 months'],
    [800 * 86_400, '2 years'],
  ];
  for (const [seconds, text] of cases) assert.equal(humanDuration(seconds), text);
});

test('a start that failed shows its code and reason', () => {
  const state = toState({ status: { state: 'created', error: 'not found', exitCode: 127 } }, 0);
  assert.deepEqual(
    [state['Status'], state['ExitCode'], state['Error']],
    ['created', 127, 'not found'],
  );
});

test('a running container lists its addresses, one row for each family', () => {
  const row = summary(view(RUNNING));
  assert.deepEqual(row['Ports'], [
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
    { IP: '127.0.0.1', PrivatePort: 53, PublicPort: 5353, Type: 'udp' },
    { PrivatePort: 90, Type: 'tcp' },
  ]);
  assert.equal(row['Command'], "sh -c 'echo hi'");
  assert.deepEqual(row['Names'], ['/web']);
  const settings = inspect(view(RUNNING))['NetworkSettings'];
  assert.equal(settings?.['IPAddress'], '172.17.0.2');
  assert.deepEqual(settings?.['Ports'], {
    '53/udp': [{ HostIp: '127.0.0.1', HostPort: '5353' }],
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '8080' },
      { HostIp: '::', HostPort: '8080' },
    ],
    '90/tcp': null,
  });
});

test('a container that does not run has no ports, but still its networks', () => {
  const stopped = view({ state: 'exited', last: LAST });
  assert.deepEqual(summary(stopped)['Ports'], []);
  const settings = inspect(stopped)['NetworkSettings'];
  assert.deepEqual(settings?.['Ports'], {});
  assert.deepEqual(Object.keys(settings?.['Networks'] as Json), ['bridge']);
});

test('the image shows by id once its name has moved on', () => {
  const moved = { ...view({ state: 'created' }), imageStillTagged: false };
  assert.equal(summary(moved)['Image'], digestOf('busybox'));
});

test('host settings are echoed with Docker’s defaults', () => {
  const asked = { Memory: 5, NetworkMode: 'default', PidsLimit: 0, MemorySwappiness: -1 };
  const echoed = inspect(view({ state: 'created' }, { hostConfig: asked }))['HostConfig'];
  assert.equal(echoed?.['Memory'], 5);
  assert.equal(echoed?.['NetworkMode'], 'bridge');
  assert.equal(echoed?.['PidsLimit'], null);
  assert.equal(echoed?.['MemorySwappiness'], null);
  assert.equal(echoed?.['ShmSize'], 67_108_864);
  assert.deepEqual(echoed?.['LogConfig'], { Type: 'json-file', Config: {} });
  assert.equal(JSON.stringify(echoed?.['MaskedPaths']).includes('"/proc/kcore"'), true);
});

test('privileged containers have no protected paths, and an empty list stays empty', () => {
  const echo = (hostConfig: object) =>
    inspect(view({ state: 'created' }, { hostConfig }))['HostConfig'];
  assert.equal(echo({ Privileged: true })?.['MaskedPaths'], null);
  assert.deepEqual(echo({ MaskedPaths: [] })?.['MaskedPaths'], []);
});

test('tmpfs mounts asked for with --tmpfs are not among the mounts', () => {
  const mount = {
    type: 'tmpfs',
    name: '',
    source: '',
    destination: '/run',
    readOnly: false,
    mode: '',
    propagation: '',
    tmpfsOptions: '',
    anonymous: false,
  } as const;
  const data = {
    ...mount,
    type: 'volume',
    name: 'data',
    source: '/v',
    destination: '/data',
  } as const;
  const { Mounts } = inspect(
    view({ state: 'created' }, { mounts: [mount, data], hostConfig: { Tmpfs: { '/run': '' } } }),
  );
  assert.deepEqual(Mounts, [
    {
      Type: 'volume',
      Name: 'data',
      Source: '/v',
      Destination: '/data',
      Driver: 'local',
      Mode: '',
      RW: true,
      Propagation: '',
    },
  ]);
});

test('a container that waits for its restart counts as running', () => {
  const state = toState({ status: { state: 'restarting', last: LAST } }, 0);
  const { Status, Running, Restarting, ExitCode, FinishedAt } = state;
  assert.deepEqual(
    [Status, Running, Restarting, ExitCode, FinishedAt],
    ['restarting', true, true, 3, LAST.finishedAt],
  );
});

test('health is shown by list and inspect, for containers that have a check', () => {
  const probe = { start: 'a', end: 'b', exitCode: 1, output: 'no' };
  const health = { status: 'starting', failingStreak: 1, log: [probe] } as const;
  assert.equal(statusText({ status: RUNNING, health }, NOW_MS), 'Up 3 seconds (health: starting)');
  const healthy = { ...health, status: 'healthy' } as const;
  assert.equal(statusText({ status: RUNNING, health: healthy }, NOW_MS), 'Up 3 seconds (healthy)');
  assert.equal(inspect(view(RUNNING))['State']?.['Health'], undefined);
  assert.deepEqual(inspect(view(RUNNING, { health }))['State']?.['Health'], {
    Status: 'starting',
    FailingStreak: 1,
    Log: [{ Start: 'a', End: 'b', ExitCode: 1, Output: 'no' }],
  });
});
