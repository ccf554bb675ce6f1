/** `wherry status`: what runs, also when the host that would know is gone. */
import type { MachineReport } from '../../handshake/machine-report.ts';
import { messageOf } from '../../shared/errors.ts';
import { isAlive, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { type MachineRecord, MachineRecordFile } from '../machine-record.ts';
import { readVmProcess } from '../vm/vm-record.ts';
import { askStatus } from './operator-client.ts';

/** Where to look. */
export interface StatusQuestion {
  readonly version: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly hostSocket: string;
  readonly machineFile: string;
  /** Record of a virtual machine. */
  readonly vmRecord: string;
}

/** The host's report, or what its record tells when there is no host. Never rejects: problems are in `errors`. */
export async function readStatus(question: StatusQuestion): Promise<MachineReport> {
  const errors: string[] = [];
  try {
    const report = await askStatus(question.hostSocket);
    if (report !== undefined) return report;
  } catch (error) {
    errors.push(messageOf(error));
  }
  const vm = await readVmProcess(question.vmRecord).catch((error: unknown) => {
    errors.push(messageOf(error));
    return undefined;
  });
  if (vm !== undefined) return describeLeftVm(question, vm.pid, errors);
  const record = await readRecord(question.machineFile, errors);
  return describeWithoutHost(question, record, errors);
}

function describeLeftVm(
  { version, dataRoot, execRoot }: StatusQuestion,
  pid: number,
  errors: readonly string[],
): MachineReport {
  const gone =
    'the host process has gone: "wherry up" takes the machine over, "wherry down" ends it';
  return {
    ...{ version, dataRoot, execRoot, hosts: [], warnings: [] },
    state: 'degraded',
    vm: { driver: 'qemu', pid, alive: true },
    errors: [...errors, gone],
  };
}

async function readRecord(
  machineFile: string,
  errors: string[],
): Promise<MachineRecord | undefined> {
  try {
    return await new MachineRecordFile(machineFile).read();
  } catch (error) {
    errors.push(messageOf(error));
    return undefined;
  }
}

async function describeWithoutHost(
  question: StatusQuestion,
  record: MachineRecord | undefined,
  errors: string[],
): Promise<MachineReport> {
  const { version, dataRoot, execRoot } = question;
  const base = { version, dataRoot, execRoot, warnings: [], errors };
  if (record === undefined) {
    return { ...base, state: errors.length > 0 ? 'degraded' : 'stopped', hosts: [] };
  }
  const anchor = await observe(record.anchor.process);
  const engine = record.engine && (await observe(record.engine.process));
  const uplink = record.uplink?.process && (await observe(record.uplink.process));
  errors.push(
    anchor.alive
      ? 'the host process has gone: "wherry up" takes the machine over, "wherry down" ends it'
      : 'the machine was ended from outside: "wherry down" cleans up',
  );
  return {
    ...base,
    state: 'degraded',
    anchor,
    ...(engine &&
      record.engine && { engine: { ...engine, version: record.engine.version, restarts: 0 } }),
    ...(record.uplink && { uplink: { driver: record.uplink.facts.driver, ...uplink } }),
    ...(record.idMap && { idMap: record.idMap.mode }),
    hosts: record.apiListeners.map(({ address }) => address),
  };
}

async function observe(identity: ProcessIdentity): Promise<{ pid: number; alive: boolean }> {
  return { pid: identity.pid, alive: await isAlive(identity) };
}
