/** Which paths the containers of an engine have bind-mounted, asked over its API. */
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { engineSilent } from '../../host-errors.ts';

const listSchema = v.array(
  v.object({
    Mounts: v.optional(
      v.array(v.object({ Type: v.string(), Source: v.optional(v.string(), '') })),
      [],
    ),
  }),
);

/** Those that have processes, or are about to. */
const LIST = query(
  '/containers/json',
  { status: ['created', 'running', 'paused', 'restarting'] },
  '&all=1',
);
const EVENTS = query('/events', {
  type: ['container'],
  event: ['create', 'start', 'die', 'destroy'],
});
const OK = 200;

/** The paths as they are now, and again after each change, until the connection ends. Rejects when the engine does. */
export async function* mountSources(connect: () => Duplex): AsyncGenerator<readonly string[]> {
  // Events first: what happens between the two questions is not missed.
  const events = await ask(connect, EVENTS);
  try {
    yield await list(connect);
    for await (const _ of events) yield await list(connect);
  } finally {
    events.destroy();
  }
}

async function list(connect: () => Duplex): Promise<readonly string[]> {
  const containers = v.parse(listSchema, JSON.parse(await text(await ask(connect, LIST))));
  const binds = containers.flatMap(({ Mounts }) => Mounts.filter(({ Type }) => Type === 'bind'));
  return [...new Set(binds.map(({ Source }) => Source))].sort();
}

function ask(connect: () => Duplex, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({ path, createConnection: connect, headers: { Host: 'wherry' } });
    asking.once('response', (answer) => {
      if (answer.statusCode === OK) resolve(answer);
      else reject(engineSilent(`status ${answer.statusCode}`, undefined));
    });
    asking.once('error', reject);
    asking.end();
  });
}

function query(
  path: string,
  filters: Readonly<Record<string, readonly string[]>>,
  more = '',
): string {
  return `${path}?filters=${encodeURIComponent(JSON.stringify(filters))}${more}`;
}
