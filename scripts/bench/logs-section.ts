/** Output: how fast a container may write it, how fast it is read back, and what other clients notice meanwhile. */
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Reading } from './sections.ts';
import { ApiClient, type Subject } from './subject.ts';

/** 2 million lines of 100 bytes. */
const LINE = 'x'.repeat(99);
const WRITTEN_BYTES = 200_000_000;
const PING_INTERVAL_MS = 5;

/** Writes 200 MB of lines, reads them back, and pings all the while. */
export async function measureLogs(subject: Subject): Promise<readonly Reading[]> {
  using api = new ApiClient(subject);
  using pings = new Pings(subject);
  const script = `yes ${LINE} | head -c ${WRITTEN_BYTES}`;
  const body = {
    Image: subject.image,
    Cmd: ['sh', '-c', script],
    // Where a peer would choose the journal: files beside files.
    HostConfig: { NetworkMode: 'none', LogConfig: { Type: 'json-file', Config: {} } },
  };
  const made: { Id: string } = JSON.parse(
    (await api.call('POST', '/containers/create', body)).toString(),
  );
  const path = `/containers/${made.Id}`;
  pings.start();
  const started = performance.now();
  await api.call('POST', `${path}/start`);
  await api.call('POST', `${path}/wait`);
  const written = performance.now();
  const bytes = await countBytes(subject, `${path}/logs?stdout=1&stderr=1`);
  const read = performance.now();
  const slowest = await pings.percentile99();
  await api.call('DELETE', `${path}?force=1`);
  if (bytes < WRITTEN_BYTES) throw new Error(`${subject.name}: only ${bytes} bytes were read back`);
  return [
    ['200 MB of lines written, ms', written - started],
    ['200 MB of lines read, ms', read - written],
    ['ping meanwhile, 99th percentile, ms', slowest],
  ];
}

function countBytes({ socketPath }: Subject, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end();
  });
}

/** One ping after the other, over a connection of their own. */
class Pings implements Disposable {
  readonly #api: ApiClient;
  readonly #times: number[] = [];
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(subject: Subject) {
    this.#api = new ApiClient(subject);
  }

  start(): void {
    this.#running = this.#pingOn();
  }

  async percentile99(): Promise<number> {
    this.#isOver = true;
    await this.#running;
    const sorted = this.#times.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN;
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#api[Symbol.dispose]();
  }

  async #pingOn(): Promise<void> {
    while (!this.#isOver) {
      const started = performance.now();
      await this.#api.call('GET', '/_ping');
      this.#times.push(performance.now() - started);
      await pause(PING_INTERVAL_MS);
    }
  }
}
