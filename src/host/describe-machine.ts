/** Parts of the report for `wherry status`. */
import type { MachineReport } from '../handshake/machine-report.ts';
import type { EngineSupervisor } from './engine-supervisor.ts';
import type { NamespaceMachine } from './namespace/namespace-machine.ts';

/** Anchor, id map and uplink of a machine that is up; nothing for none. */
export async function describeMachine(
  machine: NamespaceMachine | undefined,
): Promise<Pick<MachineReport, 'anchor' | 'idMap' | 'uplink'>> {
  if (machine === undefined) return {};
  const facts = await machine.uplink();
  const pid = await machine.uplinkPid();
  return {
    anchor: { pid: machine.anchorPid, alive: true },
    idMap: machine.idMap.mode,
    uplink: {
      driver: facts.driver,
      ...(pid === undefined ? {} : { pid, alive: true }),
      ...(facts.driver === 'none' ? { reason: facts.reason } : {}),
    },
  };
}

/** The engine that runs now; nothing while none does. */
export function describeEngine(
  supervisor: EngineSupervisor | undefined,
  version: string,
): Pick<MachineReport, 'engine'> {
  const engine = supervisor?.process;
  if (engine === undefined) return {};
  return {
    engine: { pid: engine.pid, alive: true, version, restarts: supervisor?.restarts ?? 0 },
  };
}
