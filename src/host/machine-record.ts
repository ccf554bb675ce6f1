/**
 * The record of a running machine: what a later host must know to take it over, or to clean up after it. It lies
 * in the runtime directory, because nothing of it survives a reboot.
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import {
  apiListenerSchema,
  cgroupFactsSchema,
  idMapSchema,
  uplinkSchema,
} from '../handshake/host-facts.ts';
import { writeFileDurably } from '../sys/fs/durable.ts';
import { isMissing } from '../sys/system-errors.ts';
import { badMachineRecord } from './host-errors.ts';

const identitySchema = v.object({ pid: v.number(), startTicks: v.number(), bootId: v.string() });

const machineRecordSchema = v.object({
  v: v.literal(1),
  anchor: v.object({ process: identitySchema, userNamespace: v.number() }),
  /** Absent until the maps are written: a machine without them is of no use to anybody. */
  idMap: v.optional(idMapSchema),
  uplink: v.optional(v.object({ process: v.optional(identitySchema), facts: uplinkSchema })),
  engine: v.optional(v.object({ process: identitySchema, version: v.string() })),
  /** The control group that was found or made for the machine. */
  cgroup: v.optional(cgroupFactsSchema),
  apiListeners: v.array(apiListenerSchema),
});

export type MachineRecord = v.InferOutput<typeof machineRecordSchema>;

/** Reads and writes one record. There is one writer: the holder of the host lock. */
export class MachineRecordFile {
  readonly #path: string;
  #current: MachineRecord | undefined;
  #tail: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** The record as last read or written. */
  get current(): MachineRecord | undefined {
    return this.#current;
  }

  /** Reads the file; undefined when there is none. `corrupt` when it does not decode. */
  async read(): Promise<MachineRecord | undefined> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    this.#current = decodeMachineRecord(text, this.#path);
    return this.#current;
  }

  /** Replaces the record; durable when it resolves. */
  write(record: MachineRecord): Promise<void> {
    this.#current = record;
    const job = this.#tail.then(() => writeFileDurably(this.#path, JSON.stringify(record)));
    this.#tail = job.catch(() => undefined);
    return job;
  }

  /** Changes parts of the record; does nothing when there is none. */
  async update(change: Partial<MachineRecord>): Promise<void> {
    if (this.#current !== undefined) await this.write({ ...this.#current, ...change });
  }

  /** Forgets the record, because the file has been removed. */
  forget(): void {
    this.#current = undefined;
  }
}

/** Decodes the text of a record. `corrupt` with the path of the field when it is not one. */
export function decodeMachineRecord(text: string, path: string): MachineRecord {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw badMachineRecord(path, error instanceof Error ? error.message : 'not JSON');
  }
  const result = v.safeParse(machineRecordSchema, raw);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badMachineRecord(path, `${v.getDotPath(issue) ?? 'record'}: ${issue.message}`);
}
