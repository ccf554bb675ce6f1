/** Asks the engine to check its storage, and hears what it finds. */
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import {
  STORAGE_CHECK_PATH,
  type StorageFinding,
  type StorageSummary,
  storageLineSchema,
} from '../../handshake/storage-report.ts';
import { checkFailed, daemonNeeded } from '../host-errors.ts';
import type { StorageCheckOptions } from '../machine.ts';
import { askEngine } from './ask-engine.ts';

/** `unavailable` when no daemon listens at `apiSocket`, or it cannot finish the check. */
export async function checkStorage(
  apiSocket: string,
  { repairs, deep, onFinding }: StorageCheckOptions,
): Promise<StorageSummary> {
  const query = `repair=${Number(repairs)}&deep=${Number(deep)}`;
  const answer = await askEngine(apiSocket, 'POST', `${STORAGE_CHECK_PATH}?${query}`);
  if (answer === undefined) throw daemonNeeded();
  for await (const text of createInterface({ input: answer })) {
    const line = v.safeParse(storageLineSchema, JSON.parse(text));
    if (!line.success) throw checkFailed(text);
    if ('summary' in line.output) return line.output.summary;
    onFinding(line.output.finding satisfies StorageFinding);
  }
  throw checkFailed('the daemon ended before it was done');
}
