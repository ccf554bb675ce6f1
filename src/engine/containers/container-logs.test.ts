import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogReadOptions } from '../../runtime/log-reader.ts';
import type { ContainerDeps } from './container-deps.ts';
import { containerLogs } from './container-logs.ts';
import { ContainerSignals } from './container-signals.ts';

const OPTIONS = {
  ...{ stdout: true, stderr: true, follow: true },
  ...{ sinceSeconds: undefined, untilSeconds: undefined, tailLines: undefined },
};

/** Reads what a running container wrote, with a log that ends when the reader is told so. */
function rig() {
  const signals = new ContainerSignals();
  const document = { id: 'c1', config: {}, hostConfig: {}, status: { state: 'running' } };
  const deps = {
    registry: { resolve: () => document },
    files: { logPath: () => '/log' },
    logs: {
      async *read({ follow }: LogReadOptions) {
        yield* [];
        await follow?.ended;
      },
    },
    signals,
  } as unknown as ContainerDeps;
  return { deps, signals, id: 'c1' as Parameters<ContainerSignals['notify']>[0] };
}

test('a follow ends that began between the end of the process and its record', async () => {
  const { deps, signals, id } = rig();
  signals.notify(id, 'ended', { exitCode: 0, error: '' });
  const request = { ref: 'c1', options: OPTIONS };
  const { entries } = await containerLogs(deps, request, new AbortController().signal);
  const reading = collect(entries);
  signals.notify(id, 'settled', { exitCode: 0, error: '' });
  assert.deepEqual(await reading, []);
});

async function collect<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}
