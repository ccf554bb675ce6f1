import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../shared/clock.ts';
import type { EngineEvent } from './engine-event.ts';
import { EventBus } from './event-bus.ts';
import { eventPredicate } from './event-filter.ts';

const everything = () => true;
const started = (id: string, attributes = {}) =>
  ({ type: 'container', action: 'start', actorId: id, attributes }) as const;

async function collect(events: AsyncIterable<EngineEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) seen.push(event.actorId);
  return seen;
}

test('a stream that began before an event delivers it even when it is read later', async () => {
  const bus = new EventBus(systemClock);
  const stop = new AbortController();
  const options = { sinceNano: undefined, untilNano: undefined, accept: everything };
  const stream = bus.stream(options, stop.signal);
  bus.publish(started('a'));
  bus.publish(started('b'));
  stop.abort();
  assert.deepEqual(await collect(stream), ['a', 'b']);
  assert.equal(bus.listenerCount, 0);
});

test('a stream with an end in the past replays what was kept and ends', async () => {
  const bus = new EventBus(systemClock);
  bus.publish(started('a'));
  const untilNano = BigInt(Date.now() + 1) * 1_000_000n;
  const options = { sinceNano: 0n, untilNano, accept: everything };
  assert.deepEqual(await collect(bus.stream(options, new AbortController().signal)), ['a']);
});

test('two events never carry the same time', () => {
  const bus = new EventBus({ ...systemClock, now: () => 1_000 });
  const times: bigint[] = [];
  const accept = (event: EngineEvent) => {
    times.push(event.timeNano);
    return true;
  };
  bus.stream({ sinceNano: undefined, untilNano: undefined, accept }, new AbortController().signal);
  bus.publish(started('a'));
  bus.publish(started('a'));
  assert.equal(new Set(times).size, 2);
});

test('values of one filter are alternatives, labels must all match', () => {
  const accept = eventPredicate(
    new Map([
      ['event', ['start', 'die']],
      ['label', ['a=1', 'b']],
    ]),
  );
  const event = { ...started('x', { a: '1', b: '2' }), timeNano: 0n };
  assert.equal(accept(event), true);
  assert.equal(accept({ ...event, attributes: { a: '1' } }), false);
  assert.equal(accept({ ...event, action: 'stop' }), false);
});

test('an exec event matches its action without the command', () => {
  const accept = eventPredicate(new Map([['event', ['exec_create']]]));
  assert.equal(accept({ ...started('x'), action: 'exec_create: sh', timeNano: 0n }), true);
});

test('an unknown filter is refused by name', () => {
  assert.throws(() => eventPredicate(new Map([['nope', ['x']]])), /invalid filter 'nope'/);
});
