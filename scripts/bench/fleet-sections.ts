/** Many containers at once: starting and removing fifty, listing five hundred, two hundred networks. */
import { medianMs } from './measure.ts';
import type { Reading } from './sections.ts';
import { ApiClient, runClient, type Subject } from './subject.ts';

const FLEET = 50;
const WIDTH = 8;
const LISTED = 500;
const NETWORKS = 200;
const MEMBERS = 5;
/** Requests at a time while the containers to be listed are made. */
const MAKERS = 4;

/** Seconds for fifty `run -d`, one after the other and eight at a time, and for removing them in one command. */
export async function measureFleet(subject: Subject): Promise<readonly Reading[]> {
  const ids: string[] = [];
  const runOne = async () => {
    ids.push(await runClient(subject, 'run', '-d', subject.image, 'sleep', '1000'));
  };
  const oneByOne = await seconds(() => inTurns(FLEET, 1, runOne));
  await runClient(subject, 'rm', '-f', ...ids.splice(0));
  const wide = await seconds(() => inTurns(FLEET, WIDTH, runOne));
  const removal = await seconds(() => runClient(subject, 'rm', '-f', ...ids));
  return [
    [`${FLEET} containers one by one, s`, oneByOne],
    [`${FLEET} containers ${WIDTH} at a time, s`, wide],
    [`rm -f of ${FLEET}, s`, removal],
  ];
}

/** Listing five hundred containers, by the client and without it. */
export async function measureList(subject: Subject, rounds: number): Promise<readonly Reading[]> {
  using api = new ApiClient(subject);
  const ids: string[] = [];
  await inTurns(LISTED, MAKERS, async () => {
    const body = { Image: subject.image, Cmd: ['true'] };
    const answer = await api.call('POST', '/containers/create', body);
    ids.push(JSON.parse(answer.toString()).Id);
  });
  const client = await medianMs(rounds, () => runClient(subject, 'ps', '-a'));
  const bare = await medianMs(rounds, () => api.call('GET', '/containers/json?all=1'));
  await inTurns(ids.length, MAKERS, async (at) => {
    await api.call('DELETE', `/containers/${ids[at]}`);
  });
  return [
    [`ps -a with ${LISTED} containers, ms`, client],
    [`API list of ${LISTED} containers, ms`, bare],
  ];
}

/** Two hundred networks with five containers on each, made eight at a time, and removed again. */
export async function measureNetworks(subject: Subject): Promise<readonly Reading[]> {
  using api = new ApiClient(subject);
  const ids: string[] = [];
  const make = async (at: number) => {
    // Docker's own pools have fewer subnets.
    const Config = [{ Subnet: `10.128.${at}.0/24` }];
    await api.call('POST', '/networks/create', { Name: `bench${at}`, IPAM: { Config } });
  };
  const start = async (at: number) => {
    const HostConfig = { NetworkMode: `bench${at % NETWORKS}` };
    const body = { Image: subject.image, Cmd: ['sleep', '1000'], HostConfig };
    const { Id } = JSON.parse((await api.call('POST', '/containers/create', body)).toString());
    ids.push(Id);
    await api.call('POST', `/containers/${Id}/start`);
  };
  const made = await seconds(() => inTurns(NETWORKS, WIDTH, make));
  const started = await seconds(() => inTurns(NETWORKS * MEMBERS, WIDTH, start));
  const removed = await seconds(async () => {
    await inTurns(ids.length, WIDTH, async (at) => {
      await api.call('DELETE', `/containers/${ids[at]}?force=1`);
    });
    await inTurns(NETWORKS, WIDTH, async (at) => {
      await api.call('DELETE', `/networks/bench${at}`);
    });
  });
  return [
    [`${NETWORKS} networks, s`, made],
    [`${MEMBERS} containers on each, s`, started],
    ['removing all of them, s', removed],
  ];
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Does something `count` times, `width` at a time. */
async function inTurns(
  count: number,
  width: number,
  work: (at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}
