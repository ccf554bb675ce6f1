/** The `namespace` machine: anchor, id map and uplink, made anew or taken over from an earlier host. */
import type { ApiListener, CgroupFacts, IdMap, Uplink } from '../../handshake/host-facts.ts';
import type { Clock } from '../../shared/clock.ts';
import { kindOf, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Command } from '../../sys/exec/command.ts';
import { isAlive, type ProcessIdentity } from '../../sys/proc/process-identity.ts';
import { type MachineRecord, MachineRecordFile } from '../machine-record.ts';
import { endProcess, whenEnded } from '../process-end.ts';
import { type Anchor, startAnchor } from './anchor.ts';
import { enterMachine } from './enter-machine.ts';
import { findMachineNamespaces, sweepUserNamespace } from './leftovers.ts';
import { detectUplink, startUplink, type UplinkParts, usableUplink } from './uplink.ts';
import type { StartedUplink } from './uplink-driver.ts';
import { writeIdMap } from './write-id-map.ts';

/** What the machine is made of. */
export interface NamespaceMachineOptions {
  readonly execRoot: string;
  readonly machineFile: string;
  /** Directories with the user's programs, separated by colons. */
  readonly searchPath: string;
  /** The map to write when the machine is made anew. */
  readonly idMap: IdMap;
  /** The map to write when that one is refused; absent when the refusal is to be the end. */
  readonly fallbackIdMap?: IdMap;
  /** Root writes any map without help. */
  readonly isRoot: boolean;
  readonly uplink: UplinkParts;
  readonly clock: Clock;
  readonly logger: Logger;
}

const UPLINK_GRACE_MS = 1_000;
const UPLINK_RETRY_MS = 1_000;

/** Namespaces that are alive, and what the host needs to know of them. */
export class NamespaceMachine {
  /** True when the namespaces are an earlier host's: containers may run in them. */
  readonly adopted: boolean;
  readonly idMap: IdMap;
  /** What the user should know of this machine. */
  readonly warnings: readonly string[];
  readonly #options: NamespaceMachineOptions;
  readonly #anchor: Anchor;
  readonly #record: MachineRecordFile;
  readonly #closing = new AbortController();
  #uplink: Promise<StartedUplink>;

  private constructor(
    options: NamespaceMachineOptions,
    parts: MappedAnchor & { readonly adopted: boolean; readonly record: MachineRecordFile },
    uplink: Promise<StartedUplink>,
  ) {
    this.#options = options;
    this.adopted = parts.adopted;
    this.idMap = parts.idMap;
    this.warnings = parts.warnings;
    this.#anchor = parts.anchor;
    this.#record = parts.record;
    this.#uplink = this.#recorded(uplink);
    this.#superviseUplink().catch((error) =>
      options.logger.error(`the uplink is not watched any more: ${messageOf(error)}`, { error }),
    );
  }

  /**
   * Takes over the machine of an earlier host when its anchor lives; undefined when there is none, with the
   * leftovers of dead ones cleaned up. The caller holds the host lock.
   */
  static async adopt(options: NamespaceMachineOptions): Promise<NamespaceMachine | undefined> {
    const record = new MachineRecordFile(options.machineFile);
    const earlier = await readEarlier(record, options.logger);
    if (earlier?.idMap !== undefined && (await isAlive(earlier.anchor.process))) {
      return NamespaceMachine.#adopt(options, record, { ...earlier, idMap: earlier.idMap });
    }
    await cleanLeftovers(options, earlier);
    return undefined;
  }

  static async #adopt(
    options: NamespaceMachineOptions,
    record: MachineRecordFile,
    earlier: MachineRecord & { idMap: IdMap },
  ): Promise<NamespaceMachine> {
    const { anchor, idMap, uplink } = earlier;
    const running = usableUplink(options.uplink, uplink).then(
      async (usable) => usable ?? startUplink(anchor, await detectUplink(options.uplink)),
    );
    options.logger.info('taking over the running machine', { anchor: anchor.process.pid });
    return new NamespaceMachine(
      options,
      { adopted: true, record, anchor, idMap, warnings: [] },
      running,
    );
  }

  /**
   * Makes new namespaces. The uplink may still be starting when this resolves. On failure nothing is left. The
   * caller holds the host lock and knows that there is nothing to adopt.
   */
  static async create(options: NamespaceMachineOptions): Promise<NamespaceMachine> {
    const record = new MachineRecordFile(options.machineFile);
    // The anchor first: everything else waits for it, only the uplink waits for what its helper can do.
    const mapped = startMapped(options, record);
    const helper = detectUplink(options.uplink);
    const { anchor, idMap, warnings } = await mapped;
    const uplink = helper.then((found) => startUplink(anchor, found));
    return new NamespaceMachine(
      options,
      { adopted: false, record, anchor, idMap, warnings },
      uplink,
    );
  }

  get anchorPid(): number {
    return this.#anchor.process.pid;
  }

  /** What an earlier host left on record about its engine, control group and the API's sockets. */
  get earlier(): Pick<MachineRecord, 'engine' | 'apiListeners' | 'cgroup'> {
    return this.#record.current ?? { apiListeners: [] };
  }

  /** The way out, as soon as it is known. */
  async uplink(): Promise<Uplink> {
    return (await this.#uplink).facts;
  }

  /** Pid of the uplink's helper, once it runs. */
  async uplinkPid(): Promise<number | undefined> {
    return (await this.#uplink).process?.pid;
  }

  /** Resolves when the anchor has ended although nobody asked it to. */
  async whenLost(): Promise<void> {
    await whenEnded(this.#anchor.process, this.#closing.signal);
    if (this.#closing.signal.aborted) await new Promise<never>(() => undefined);
  }

  /** The command that runs a program inside. */
  enter(command: Command): Command {
    return enterMachine(this.#anchor, this.idMap, command);
  }

  /** Puts the engine on record, so that a later host finds it. */
  recordEngine(process: ProcessIdentity, version: string): Promise<void> {
    return this.#record.update({ engine: { process, version } });
  }

  /** Puts the control group on record. */
  recordGroup(cgroup: CgroupFacts): Promise<void> {
    return this.#record.update({ cgroup });
  }

  /** Puts the API's sockets on record. */
  recordApiListeners(apiListeners: readonly ApiListener[]): Promise<void> {
    return this.#record.update({ apiListeners: [...apiListeners] });
  }

  /** Ends everything inside and the namespaces with it; resolves to how many processes had to be killed. */
  async close(): Promise<number> {
    this.#closing.abort();
    const killed = await sweepUserNamespace(this.#anchor.userNamespace, this.#anchor.process);
    const uplink = await this.#uplink;
    if (uplink.process !== undefined) await endProcess(uplink.process, UPLINK_GRACE_MS);
    await endProcess(this.#anchor.process, 0);
    return killed + (await sweepUserNamespace(this.#anchor.userNamespace));
  }

  /** Starts the helper again whenever it ends; containers keep their own networks meanwhile. */
  async #superviseUplink(): Promise<void> {
    for (;;) {
      const { facts, process } = await this.#uplink;
      if (facts.driver === 'none') {
        this.#options.logger.warn(`no uplink: ${facts.reason}`);
        return;
      }
      if (process !== undefined) await whenEnded(process, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      this.#options.logger.error(`${facts.driver} ended; starting it again`);
      await this.#options.clock.sleep(UPLINK_RETRY_MS, this.#closing.signal);
      if (this.#closing.signal.aborted) return;
      this.#uplink = this.#recorded(
        detectUplink(this.#options.uplink).then((helper) => startUplink(this.#anchor, helper)),
      );
    }
  }

  /** Nobody hears of a helper that a later host would not find. */
  async #recorded(starting: Promise<StartedUplink>): Promise<StartedUplink> {
    const { facts, process } = await starting;
    if (facts.driver !== 'none') await this.#record.update({ uplink: { process, facts } });
    return { facts, process };
  }
}

interface MappedAnchor {
  readonly anchor: Anchor;
  readonly idMap: IdMap;
  readonly warnings: readonly string[];
}

/** A user namespace can be mapped once: a refused map costs a new anchor. */
async function startMapped(
  options: NamespaceMachineOptions,
  record: MachineRecordFile,
): Promise<MappedAnchor> {
  const { idMap, fallbackIdMap } = options;
  try {
    return { anchor: await startAnchorWith(options, record, idMap), idMap, warnings: [] };
  } catch (error) {
    if (fallbackIdMap === undefined || kindOf(error) !== 'unavailable') throw error;
    const anchor = await startAnchorWith(options, record, fallbackIdMap);
    const warning = `containers have a single user id: ${messageOf(error)}`;
    options.logger.warn(warning);
    return { anchor, idMap: fallbackIdMap, warnings: [warning] };
  }
}

/** On failure no anchor is left. The record is written before the machine is of any use to anybody. */
async function startAnchorWith(
  options: NamespaceMachineOptions,
  record: MachineRecordFile,
  idMap: IdMap,
): Promise<Anchor> {
  const anchor = await startAnchor(options.execRoot, options.searchPath);
  try {
    await record.write({ v: 1, anchor, apiListeners: [] });
    await writeIdMap(anchor.process.pid, idMap, options.isRoot);
    await record.update({ idMap });
    return anchor;
  } catch (error) {
    await endProcess(anchor.process, 0);
    throw error;
  }
}

/**
 * Ends whatever processes of this runtime directory are left when their anchor is gone, was never recorded, or
 * belongs to another boot.
 */
async function cleanLeftovers(
  options: Pick<NamespaceMachineOptions, 'execRoot' | 'logger'>,
  earlier: MachineRecord | undefined,
): Promise<void> {
  let killed = 0;
  for (const namespace of await findMachineNamespaces(options.execRoot)) {
    killed += await sweepUserNamespace(namespace);
  }
  if (earlier?.uplink?.process !== undefined) await endProcess(earlier.uplink.process, 0);
  if (killed > 0) options.logger.warn(`ended ${killed} processes of an earlier machine`);
}

/** A record that cannot be read is as good as none: its processes are found by their mark. */
async function readEarlier(
  record: MachineRecordFile,
  logger: Logger,
): Promise<MachineRecord | undefined> {
  try {
    return await record.read();
  } catch (error) {
    logger.warn('the record of the earlier machine is unreadable', { error: messageOf(error) });
    return undefined;
  }
}
