/** Which storage driver the daemon has chosen, and why: it finds out by trying, in the directory that it works in. */
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import type { DoctorCheck } from '../machine.ts';
import { askEngine } from './ask-engine.ts';

const infoSchema = v.object({
  Driver: v.string(),
  DriverStatus: v.array(v.tuple([v.string(), v.string()])),
});

/** The row of `docker info` that tells the reason. */
const REASON = 'Chosen because';
const SLOW: Readonly<Record<string, string>> = {
  'fuse-overlayfs': 'files go through a helper process for each container',
  copy: 'each container is a full copy of its image',
};

/** Answers for a daemon that runs; otherwise there is no choice yet. */
export async function checkStorageDriver(name: string, apiSocket: string): Promise<DoctorCheck> {
  const answer = await askEngine(apiSocket, 'GET', '/info');
  if (answer === undefined) {
    return { name, state: 'ok', detail: 'chosen when the daemon starts, which does not run' };
  }
  const { Driver: driver, DriverStatus: rows } = v.parse(infoSchema, await json(answer));
  const reason = rows.find(([key]) => key === REASON)?.[1] ?? '';
  const cost = SLOW[driver];
  if (cost === undefined) return { name, state: 'ok', detail: `${driver}: ${reason}` };
  return {
    name,
    state: 'limited',
    detail: `${driver} (${cost}): ${reason}`,
    cure: 'put --data-root on a local file system such as ext4, xfs or btrfs, with Linux 5.13 or newer',
  };
}
