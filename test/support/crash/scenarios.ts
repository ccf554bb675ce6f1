/** The verbs that crash tests interrupt: what they need, how they are sent, when they count as done, what must hold. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failpoint } from '../../../src/shared/failpoints.ts';
import { readStat } from '../../../src/sys/proc/process-identity.ts';
import { eventually } from '../eventually.ts';
import { type Answer, requestOverSocket } from '../http-over-socket.ts';
import { BUSYBOX } from '../images.ts';
import { filesTar } from '../layer-tar.ts';
import { ociImage } from '../oci-image.ts';
import type { StubRegistry } from '../stub-registry.ts';
import type { CrashRig } from './crash-rig.ts';

/** What a scenario works with. `name` is its own. */
export interface Stage {
  readonly rig: CrashRig;
  readonly registry: StubRegistry;
  readonly name: string;
}

/** One verb. */
export interface Scenario {
  /** Makes what the verb is about. */
  prepare?(stage: Stage): Promise<void>;
  /** Sends the verb; rejects when the connection breaks. */
  act(stage: Stage): Promise<Answer>;
  /** Statuses of a retry: those of success, and those that say it is done already. */
  readonly done: readonly number[];
  /** What must hold once a retry has succeeded. */
  check?(stage: Stage): Promise<void>;
  /** Removes everything; the inventory is then compared. */
  cleanUp(stage: Stage): Promise<void>;
}

type Verb = Failpoint extends `${infer V}:${string}` ? V : never;

/** The scenario of each verb that has points. */
export const SCENARIOS: Readonly<Record<Verb, Scenario>> = {
  'container-create': {
    act: (stage) => create(stage),
    done: [201, 409],
    cleanUp: removeContainer,
  },
  'container-start': startScenario(),
  'task-start': startScenario(),
  'exec-start': {
    prepare: run,
    act: exec,
    done: [200],
    check: holdsNoExecFiles,
    cleanUp: removeContainer,
  },
  'container-stop': {
    prepare: run,
    act: ({ rig, name }) => rig.call('POST', `/containers/${name}/stop`),
    done: [204, 304],
    check: (stage) => hasState(stage, { status: 'exited', exitCode: 137 }),
    cleanUp: removeContainer,
  },
  'container-exit': {
    prepare: run,
    act: killAndWait,
    done: [204, 409],
    check: (stage) => hasState(stage, { status: 'exited', exitCode: 137 }),
    cleanUp: removeContainer,
  },
  'container-restart': {
    prepare: run,
    act: ({ rig, name }) => rig.call('POST', `/containers/${name}/restart`),
    done: [204],
    check: (stage) => hasState(stage, { status: 'running', exitCode: 0 }),
    cleanUp: removeContainer,
  },
  'container-pause': {
    prepare: run,
    act: ({ rig, name }) => rig.call('POST', `/containers/${name}/pause`),
    done: [204, 409],
    check: (stage) => hasState(stage, { status: 'paused', exitCode: 0 }),
    cleanUp: removeContainer,
  },
  'container-unpause': {
    prepare: async (stage) => {
      await run(stage);
      await stage.rig.must([204], `POST /containers/${stage.name}/pause`);
    },
    act: ({ rig, name }) => rig.call('POST', `/containers/${name}/unpause`),
    done: [204, 409],
    check: isNotFrozen,
    cleanUp: removeContainer,
  },
  'image-commit': {
    prepare: run,
    act: ({ rig, name }) => rig.call('POST', `/commit?container=${name}&repo=${name}`),
    done: [201],
    check: isNotFrozen,
    cleanUp: async (stage) => {
      await removeContainer(stage);
      await stage.rig.must([200], `DELETE /images/${stage.name}`);
      // A commit that was finished before its client knew has an image of its own, which the retry took the name from.
      await stage.rig.must([200], 'POST /images/prune');
    },
  },
  'image-build': {
    act: build,
    done: [200],
    cleanUp: async ({ rig, name }) => {
      await rig.must([200], `DELETE /images/${name}`);
      // A build that was finished before its client knew has an image and a cache.
      await rig.must([200], 'POST /images/prune');
      await rig.must([200], 'POST /build/prune?all=1');
    },
  },
  'container-rename': {
    prepare: run,
    act: ({ rig, name }) => rig.call('POST', `/containers/${other(name)}/rename?name=${name}`),
    done: [204, 404],
    check: (stage) => hasState(stage, { status: 'running', exitCode: 0 }),
    cleanUp: removeContainer,
  },
  'container-remove': {
    prepare: run,
    act: ({ rig, name }) => rig.call('DELETE', `/containers/${name}?force=1&v=1`),
    done: [204, 404],
    cleanUp: () => Promise.resolve(),
  },
  'image-pull': {
    prepare: async ({ registry, name }) =>
      registry.add(name, 'latest', ociImage({ layers: [{ '/a': name }, { '/b': name }] })),
    act: async ({ rig, registry, name }) => {
      const answer = await rig.call(
        'POST',
        `/images/create?fromImage=${registry.host}/${name}&tag=latest`,
      );
      assert.doesNotMatch(answer.body, /errorDetail/);
      return answer;
    },
    done: [200],
    cleanUp: async ({ rig, registry, name }) => {
      await rig.must([200], `DELETE /images/${registry.host}/${name}:latest`);
    },
  },
  'volume-create': {
    act: ({ rig, name }) => rig.call('POST', '/volumes/create', { Name: name }),
    done: [201],
    check: hasVolumeData,
    cleanUp: async ({ rig, name }) => {
      await rig.must([204], `DELETE /volumes/${name}`);
    },
  },
  'volume-remove': {
    prepare: async ({ rig, name }) => {
      await rig.must([201], 'POST /volumes/create', { Name: name });
    },
    act: ({ rig, name }) => rig.call('DELETE', `/volumes/${name}`),
    done: [204, 404],
    cleanUp: () => Promise.resolve(),
  },
  'network-create': {
    act: createNetwork,
    done: [201, 409],
    check: runsOnNetwork,
    cleanUp: removeNetwork,
  },
  'network-connect': {
    prepare: async (stage) => {
      await run(stage);
      await createNetwork(stage);
    },
    act: ({ rig, name }) =>
      rig.call('POST', `/networks/${name}/connect`, { Container: name, EndpointConfig: {} }),
    done: [200, 403],
    check: (stage) => isOnNetworks(stage, ['bridge', stage.name]),
    cleanUp: async (stage) => {
      await removeContainer(stage);
      await removeNetwork(stage);
    },
  },
  'network-disconnect': {
    prepare: async (stage) => {
      await run(stage);
      await createNetwork(stage);
      await stage.rig.must([200], `POST /networks/${stage.name}/connect`, {
        Container: stage.name,
      });
    },
    act: ({ rig, name }) => rig.call('POST', `/networks/${name}/disconnect`, { Container: name }),
    done: [200, 500],
    check: (stage) => isOnNetworks(stage, ['bridge']),
    cleanUp: async (stage) => {
      await removeContainer(stage);
      await removeNetwork(stage);
    },
  },
  'network-remove': {
    prepare: async (stage) => {
      await createNetwork(stage);
    },
    act: ({ rig, name }) => rig.call('DELETE', `/networks/${name}`),
    done: [204, 404],
    cleanUp: () => Promise.resolve(),
  },
};

/** The scenario that reaches a point. */
export function scenarioOf(point: Failpoint): Scenario {
  const [verb = ''] = point.split(':');
  return SCENARIOS[verb as Verb];
}

function startScenario(): Scenario {
  return {
    prepare: async (stage) => {
      await create(stage);
    },
    act: ({ rig, name }) => rig.call('POST', `/containers/${name}/start`),
    done: [204, 304],
    check: (stage) => hasState(stage, { status: 'running', exitCode: 0 }),
    cleanUp: removeContainer,
  };
}

/** The name that a container has until it is renamed. */
const other = (name: string) => `${name}-before`;

/** A container with an anonymous volume and a published port, which dies at once when it is stopped. */
function create({ rig, name }: Stage): Promise<Answer> {
  const newName = name.includes('container-rename') ? other(name) : name;
  return rig.call('POST', `/containers/create?name=${newName}`, {
    Image: BUSYBOX,
    Cmd: ['sleep', '1000'],
    StopSignal: 'SIGKILL',
    Volumes: { '/data': {} },
    ExposedPorts: { '80/tcp': {} },
    HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
  });
}

async function run(stage: Stage): Promise<void> {
  const { status, body } = await create(stage);
  assert.equal(status, 201, body);
  await stage.rig.must([204], `POST /containers/${JSON.parse(body).Id}/start`);
}

async function removeContainer({ rig, name }: Stage): Promise<void> {
  await rig.must([204], `DELETE /containers/${name}?force=1&v=1`);
}

async function exec({ rig, name }: Stage): Promise<Answer> {
  const made = await rig.must([201], `POST /containers/${name}/exec`, { Cmd: ['true'] });
  return await rig.call('POST', `/exec/${made.Id}/start`, { Detach: true });
}

/** Somebody waits while the container is killed: they are told the truth, or their connection breaks. */
async function killAndWait({ rig, name }: Stage): Promise<Answer> {
  const waiting = rig
    .call('POST', `/containers/${name}/wait?condition=next-exit`)
    .catch(() => undefined);
  const answer = await rig.call('POST', `/containers/${name}/kill`);
  if (answer.status === 204) {
    const told = await waiting;
    assert.deepEqual(JSON.parse(told?.body ?? '{}'), { StatusCode: 137 });
  }
  return answer;
}

/** Files of the client, and a command, each a layer. */
async function build({ rig, name }: Stage): Promise<Answer> {
  const Dockerfile = `FROM ${BUSYBOX}\nCOPY a /a\nRUN --mount=type=tmpfs,target=/t cat /a >/b\n`;
  const answer = await requestOverSocket(rig.daemon.socketPath, `/build?t=${name}&nocache=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-tar' },
    body: filesTar({ Dockerfile, a: name }),
  });
  assert.doesNotMatch(answer.body, /errorDetail/);
  return answer;
}

async function createNetwork({ rig, name }: Stage): Promise<Answer> {
  return await rig.call('POST', '/networks/create', { Name: name });
}

async function removeNetwork({ rig, name }: Stage): Promise<void> {
  await rig.must([204], `DELETE /networks/${name}`);
}

async function hasState(
  { rig, name }: Stage,
  expected: { readonly status: string; readonly exitCode: number },
): Promise<void> {
  const { State } = await rig.must([200], `GET /containers/${name}/json`);
  assert.deepEqual({ status: State.Status, exitCode: State.ExitCode }, expected);
}

async function isNotFrozen(stage: Stage): Promise<void> {
  await hasState(stage, { status: 'running', exitCode: 0 });
  const { State } = await stage.rig.must([200], `GET /containers/${stage.name}/json`);
  assert.equal((await readStat(State.Pid))?.state, 'S');
}

/** Also after the next start: what is stored and what is so are the same. */
async function isOnNetworks({ rig, name }: Stage, expected: readonly string[]): Promise<void> {
  const networks = async () => {
    const { NetworkSettings } = await rig.must([200], `GET /containers/${name}/json`);
    return Object.keys(NetworkSettings.Networks).toSorted();
  };
  assert.deepEqual(await networks(), expected.toSorted());
  await rig.must([204], `POST /containers/${name}/restart`);
  assert.deepEqual(await networks(), expected.toSorted());
}

async function runsOnNetwork({ rig, name }: Stage): Promise<void> {
  const body = { Image: BUSYBOX, Cmd: ['true'], HostConfig: { NetworkMode: name } };
  const { Id } = await rig.must([201], 'POST /containers/create', body);
  await rig.must([204], `POST /containers/${Id}/start`);
  await rig.must([204], `DELETE /containers/${Id}?force=1`);
}

async function hasVolumeData({ rig, name }: Stage): Promise<void> {
  const { Mountpoint } = await rig.must([200], `GET /volumes/${name}`);
  assert.deepEqual(await readdir(Mountpoint), []);
}

async function holdsNoExecFiles({ rig, name }: Stage): Promise<void> {
  const { Id } = await rig.must([200], `GET /containers/${name}/json`);
  const dir = join(rig.daemon.home.runtimeDir, 'wherry/containers', Id);
  await eventually(async () => (await readdir(dir)).every((file) => !file.startsWith('exec-')));
}
