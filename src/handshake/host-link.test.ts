import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { Clock } from '../shared/clock.ts';
import { EngineError } from '../shared/errors.ts';
import { silentLogger } from '../shared/logger.ts';
import { HostLink, type HostLinkOptions } from './host-link.ts';
import { LineConnection } from './line-connection.ts';
import { decodeEngineMessage, type EngineMessage, type HostMessage } from './messages.ts';

/** Two streams, each reading what the other writes. */
function streamPair(): readonly [Duplex, Duplex] {
  const make = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write: (chunk, _encoding, done) => {
        other().push(chunk);
        done();
      },
      final: (done) => {
        other().push(null);
        done();
      },
    });
  const left: Duplex = make(() => right);
  const right: Duplex = make(() => left);
  return [left, right];
}

/** The host's end of one connection: what arrived, and a way to send. */
class FakeHost {
  readonly arrived: EngineMessage[] = [];
  readonly engineSide: Duplex;
  readonly #connection: LineConnection;
  #wake: () => void = () => undefined;

  constructor() {
    const [engineSide, hostSide] = streamPair();
    this.engineSide = engineSide;
    this.#connection = new LineConnection(hostSide, {
      onValue: (value) => {
        this.arrived.push(decodeEngineMessage(value));
        this.#wake();
      },
      onClosed: () => undefined,
    });
  }

  send(message: HostMessage): void {
    this.#connection.send(message);
  }

  hangUp(): void {
    this.#connection.close();
  }

  async message<T extends EngineMessage['type']>(
    type: T,
  ): Promise<Extract<EngineMessage, { type: T }>> {
    for (;;) {
      const at = this.arrived.findIndex((message) => message.type === type);
      if (at >= 0) return this.arrived.splice(at, 1)[0] as Extract<EngineMessage, { type: T }>;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** Never lets a deadline pass; pauses between connections end at once. */
const patientClock: Clock = {
  now: () => 0,
  nowIso: () => '',
  sleep: (delayMs, signal) =>
    delayMs > 1_000
      ? new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
      : new Promise((resolve) => setImmediate(resolve)),
};

function linkTo(hosts: readonly FakeHost[], options: Partial<HostLinkOptions> = {}) {
  const waiting = [...hosts];
  const stop = new AbortController();
  const link = new HostLink({
    dial: async () => {
      const next = waiting.shift();
      if (next === undefined) {
        await new Promise((resolve) => stop.signal.addEventListener('abort', resolve));
        throw new Error('there is no host');
      }
      return next.engineSide;
    },
    pid: 7,
    version: '1',
    clock: patientClock,
    logger: silentLogger,
    heldListeners: () => [],
    returnListener: () => false,
    onFacts: () => undefined,
    onShutdown: () => undefined,
    ...options,
  });
  const running = link.run(stop.signal);
  return {
    link,
    end: () => {
      stop.abort();
      return running;
    },
  };
}

const listRequest = { op: 'list-listeners' } as const;
const listener = { listenerId: 'a', protocol: 'tcp', hostIp: '::', hostPort: 80 } as const;

test('the engine says hello first, with the sockets it holds', async () => {
  const host = new FakeHost();
  const { end } = linkTo([host], { heldListeners: () => [listener] });
  const hello = await host.message('engine-hello');
  assert.deepEqual(hello.listeners, [listener]);
  await end();
});

test('an answer reaches the request it belongs to, in any order', async () => {
  const host = new FakeHost();
  const { link, end } = linkTo([host]);
  const [first, second] = [link.request(listRequest), link.request(listRequest)];
  const [{ id: a }, { id: b }] = [await host.message('request'), await host.message('request')];
  host.send({ type: 'granted', id: b, listeners: [] });
  host.send({ type: 'granted', id: a, listeners: [listener] });
  assert.deepEqual((await first).listeners, [listener]);
  assert.deepEqual((await second).listeners, []);
  await end();
});

test('a refusal keeps kind, text and code of the host', async () => {
  const host = new FakeHost();
  const { link, end } = linkTo([host]);
  const refused = assert.rejects(
    link.request(listRequest),
    (error) =>
      error instanceof EngineError &&
      error.kind === 'conflict' &&
      error.details['code'] === 'EADDRINUSE',
  );
  const { id } = await host.message('request');
  host.send({
    type: 'refused',
    id,
    refusal: { kind: 'conflict', message: 'taken', code: 'EADDRINUSE' },
  });
  await refused;
  await end();
});

test('when the host goes, requests under way fail and later ones wait for the next host', async () => {
  const [first, second] = [new FakeHost(), new FakeHost()];
  const { link, end } = linkTo([first, second]);
  const lost = assert.rejects(
    link.request(listRequest),
    (error) => error instanceof EngineError && error.kind === 'unavailable',
  );
  await first.message('request');
  first.hangUp();
  await lost;
  const later = link.request(listRequest);
  const { id } = await second.message('request');
  second.send({ type: 'granted', id, listeners: [] });
  assert.deepEqual((await later).listeners, []);
  await end();
});

test('a host that comes later learns at once that the engine is ready', async () => {
  const [first, second] = [new FakeHost(), new FakeHost()];
  const { link, end } = linkTo([first, second]);
  await first.message('engine-hello');
  link.announceReady();
  await first.message('engine-ready');
  first.hangUp();
  await second.message('engine-ready');
  await end();
});

test('a socket that is asked for is sent back, or said to be missing', async () => {
  const host = new FakeHost();
  const { end } = linkTo([host], { returnListener: (listenerId) => listenerId === 'a' });
  await host.message('engine-hello');
  host.send({ type: 'return-listener', listenerId: 'a', token: 't' });
  host.send({ type: 'return-listener', listenerId: 'b', token: 'u' });
  assert.equal((await host.message('listener-returned')).token, 't');
  assert.equal((await host.message('listener-missing')).listenerId, 'b');
  await end();
});

test('a request that no host answers ends with its deadline', async () => {
  const impatient: Clock = { ...patientClock, sleep: () => Promise.resolve() };
  const host = new FakeHost();
  const { link, end } = linkTo([host], { clock: impatient });
  await assert.rejects(
    link.request(listRequest),
    (error) => error instanceof EngineError && error.kind === 'deadline',
  );
  await end();
});
