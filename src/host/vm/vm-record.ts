/** The record of a running machine: a later host takes it over by this, or ends it. */
import { readFile, rm } from 'node:fs/promises';
import * as v from 'valibot';
import { writeFileDurably } from '../../sys/fs/durable.ts';
import { isAlive, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { badMachineRecord } from '../host-errors.ts';

const recordSchema = v.object({
  v: v.literal(1),
  process: v.object({ pid: v.number(), startTicks: v.number(), bootId: v.string() }),
});

/** The process of the machine that the record at `path` names; undefined when it has none or the process has ended. */
export async function readVmProcess(path: string): Promise<ProcessIdentity | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const identity = decodeRecord(text, path);
  return (await isAlive(identity)) ? identity : undefined;
}

/** Durable when it resolves. */
export async function writeVmProcess(path: string, process: ProcessIdentity): Promise<void> {
  await writeFileDurably(path, JSON.stringify({ v: 1, process }));
}

export async function forgetVmProcess(path: string): Promise<void> {
  await rm(path, { force: true });
}

function decodeRecord(text: string, path: string): ProcessIdentity {
  try {
    return v.parse(recordSchema, JSON.parse(text)).process;
  } catch (error) {
    throw badMachineRecord(path, error instanceof Error ? error.message : 'not JSON');
  }
}
