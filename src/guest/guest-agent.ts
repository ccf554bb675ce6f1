/** The guest's side of the channel: leads streams of the host to where they want to go. */
import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Channel } from '../channel/channel.ts';
import { decodePortClient } from '../channel/port-requests.ts';
import { TARGETS } from '../channel/targets.ts';
import { messageOf } from '../shared/errors.ts';
import { run } from '../sys/exec/run.ts';
import { unknownTarget } from './guest-errors.ts';
import { servePortClient } from './port-clients.ts';
import { touchFiles } from './touch-files.ts';

export interface GuestAgentOptions {
  readonly transport: Duplex;
  /** The engine's API in this guest. */
  readonly apiSocket: string;
  /** Told of the channel once it is there: what the guest asks of the host goes over it. */
  readonly onChannel?: (channel: Pick<Channel, 'open'>) => void;
}

const CLOCK_TIMEOUT_MS = 5_000;
/** A clock that differs by less is left alone: setting it has a cost for whoever measures. */
const CLOCK_TOLERANCE_MS = 1_000;

/** Serves until the host tells the guest to shut down (resolves to true) or the channel ends (false). */
export async function runGuestAgent(options: GuestAgentOptions): Promise<boolean> {
  let shutDown = (): void => undefined;
  const told = new Promise<boolean>((resolve) => {
    shutDown = () => resolve(true);
  });
  const channel = new Channel({
    transport: options.transport,
    side: 'guest',
    onStream: (target, stream) => {
      // Whoever is at the other end is told by the channel.
      stream.on('error', () => undefined);
      serve(target, stream, { ...options, shutDown }).catch((error: unknown) => {
        stream.destroy(error instanceof Error ? error : new Error(messageOf(error)));
      });
    },
  });
  options.onChannel?.(channel);
  try {
    return await Promise.race([told, channel.ended.then(() => false)]);
  } finally {
    channel.close();
  }
}

async function serve(
  target: string,
  stream: Duplex,
  { apiSocket, shutDown }: GuestAgentOptions & { readonly shutDown: () => void },
): Promise<void> {
  const [verb, value = ''] = target.split(' ', 2);
  if (verb === TARGETS.api) {
    await connect(stream, apiSocket);
  } else if (verb === TARGETS.clock) {
    await setClock(Number(value));
    stream.end();
  } else if (verb === TARGETS.files) {
    await touchFiles(stream);
  } else if (verb === TARGETS.port) {
    await servePortClient(decodePortClient(value), stream);
  } else if (verb === TARGETS.shutdown) {
    stream.end(shutDown);
  } else throw unknownTarget(target);
}

async function connect(stream: Duplex, path: string): Promise<void> {
  const socket = createConnection({ path, allowHalfOpen: true });
  await Promise.all([pipeline(stream, socket), pipeline(socket, stream)]);
}

async function setClock(now: number): Promise<void> {
  if (!Number.isFinite(now) || Math.abs(now - Date.now()) < CLOCK_TOLERANCE_MS) return;
  const args = ['date', '-u', '-s', `@${Math.round(now / 1000)}`];
  await run({ file: '/usr/bin/busybox', args }, { timeoutMs: CLOCK_TIMEOUT_MS });
}
