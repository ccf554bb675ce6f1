/** Docker's settings of a container as an OCI runtime configuration. */

import { keepingMap } from '../../oci/kept-id.ts';
import type {
  ExecProcess,
  RuntimeSpec,
  SpecMount,
  SpecNamespace,
  SpecSeccomp,
  SpecUser,
} from '../../oci/runtime-spec.ts';
import type { ContainerConfig, HostConfig } from '../../wire/container-config.ts';
import type { CdiRegistry } from '../cdi/cdi-registry.ts';
import { requestedDevices } from '../cdi/device-requests.ts';
import { type CdiParts, specParts } from '../cdi/spec-parts.ts';
import { noCommand, workingDirNotAbsolute } from '../runtime-errors.ts';
import type { ExecProcessInput, SpecBuilder, SpecInput } from '../spec-builder.ts';
import { chooseCapabilities, toSpecCapabilities } from './capabilities.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS, defaultMounts } from './default-mounts.ts';
import { DEFAULT_PROFILE, pretendIdentities, UNCONFINED_PROFILE } from './default-seccomp.ts';
import { accessibleDeviceMounts, mappedDeviceMounts } from './devices.ts';
import { sharedNamespaces, toSpecNamespaces } from './namespaces.ts';
import { buildEnvironment } from './process-environment.ts';
import { type ResolvedUser, resolveUserInRoot } from './resolve-user.ts';
import { toRlimits } from './rlimits.ts';
import { makeDirInRoot } from './rooted-path.ts';
import { goArchitecture, resolveSeccomp } from './seccomp-rules.ts';
import { parseSecurityOptions, type SecuritySettings } from './security-options.ts';
import { shortcomings } from './shortcomings.ts';
import type { SpecFacts } from './spec-facts.ts';

const OCI_VERSION = '1.0.2';
/** Where `--init` finds its program, as in Docker. */
const INIT_TARGET = '/sbin/docker-init';

export class OciSpecBuilder implements SpecBuilder {
  readonly #facts: SpecFacts;
  readonly #cdi: Pick<CdiRegistry, 'names' | 'edits'>;

  /** `cdi` has the devices that containers can ask for by name. */
  constructor(facts: SpecFacts, cdi: Pick<CdiRegistry, 'names' | 'edits'>) {
    this.#facts = facts;
    this.#cdi = cdi;
  }

  async build(input: SpecInput): Promise<RuntimeSpec> {
    const { hostConfig, rootfsDir } = input;
    const privileged = hostConfig.Privileged === true;
    const { joined = {} } = input;
    const shared = sharedNamespaces(hostConfig, joined);
    const facts = this.#facts;
    const security = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
    const base = defaultMounts({
      ...{ facts, shared, privileged, ownsNetwork: ownsNetwork(input) },
      writableCgroups: security.writableCgroups,
      shmSizeBytes: hostConfig.ShmSize,
      shmDir: joined.shmDir,
    });
    const devices = await this.#requestedDevices(hostConfig);
    const process = withDevices(await this.#initProcess(input), devices);
    await makeDirInRoot(rootfsDir, process.cwd);
    const mounts = mergeMounts(base, [
      ...(privileged ? await accessibleDeviceMounts() : []),
      ...(await mappedDeviceMounts(hostConfig.Devices ?? [])),
      ...(devices?.mounts ?? []),
      ...initMounts(input.initPath),
      ...input.mounts,
    ]);
    const seccomp = this.#seccomp(hostConfig, process.capabilities?.bounding ?? []);
    return {
      ociVersion: OCI_VERSION,
      process,
      root: { path: rootfsDir, readonly: hostConfig.ReadonlyRootfs === true },
      ...(shared.uts ? {} : namesOf(input)),
      mounts,
      ...(devices === undefined ? {} : { hooks: devices.hooks }),
      ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
      linux: {
        ...this.#namespaces(input, toSpecNamespaces(shared, input.network, joined)),
        sysctl: this.#sysctls(input),
        ...(seccomp === undefined ? {} : { seccomp }),
        ...pathRestrictions(hostConfig, security),
        ...propagationOf(mounts),
      },
    };
  }

  shortcomings(hostConfig: HostConfig): readonly string[] {
    return shortcomings(hostConfig, this.#facts);
  }

  async buildExec(input: ExecProcessInput): Promise<ExecProcess> {
    const { config, hostConfig } = input;
    const who = await this.#user(input.rootfsDir, input.user ?? config.User ?? '', hostConfig);
    return this.#process(input, who, {
      args: input.args,
      cwd: input.workingDir || config.WorkingDir || '/',
      privileged: input.privileged || hostConfig.Privileged === true,
      env: buildEnvironment({
        hostname: config.Hostname ?? '',
        terminal: input.terminal,
        home: who.home,
        given: [config.Env ?? [], input.env],
      }),
      terminal: input.terminal,
    });
  }

  async resolveUser(rootfsDir: string, user: string): Promise<SpecUser> {
    return (await resolveUserInRoot(rootfsDir, user, [])).user;
  }

  /** Undefined when none are asked for. */
  async #requestedDevices({ DeviceRequests }: HostConfig): Promise<CdiParts | undefined> {
    const requests = DeviceRequests ?? [];
    if (requests.length === 0) return undefined;
    const names = requestedDevices(requests, await this.#cdi.names());
    return await specParts(await this.#cdi.edits(names), this.#facts.mappedGids);
  }

  async #initProcess(input: SpecInput): Promise<ExecProcess> {
    const { config, hostConfig } = input;
    const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
    if (args.length === 0) throw noCommand();
    const who = await this.#user(input.rootfsDir, config.User ?? '', hostConfig);
    const terminal = config.Tty === true;
    const { hostname } = input;
    const given = [config.Env ?? []];
    return this.#process(input, who, {
      args: input.initPath === undefined ? args : [INIT_TARGET, '--', ...args],
      cwd: config.WorkingDir || '/',
      privileged: hostConfig.Privileged === true,
      env: buildEnvironment({ hostname, terminal, home: who.home, given }),
      terminal,
    });
  }

  #process(
    { hostConfig }: { readonly hostConfig: HostConfig; readonly config: ContainerConfig },
    { user }: ResolvedUser,
    own: ProcessParts,
  ): ExecProcess {
    const { args, cwd, env, terminal, privileged } = own;
    if (!cwd.startsWith('/')) throw workingDirNotAbsolute(cwd);
    const choice = {
      privileged,
      add: hostConfig.CapAdd ?? [],
      drop: hostConfig.CapDrop ?? [],
    };
    const capabilities = chooseCapabilities(choice, this.#facts.capabilities);
    const { noNewPrivileges } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
    const rlimits = toRlimits(hostConfig.Ulimits ?? [], this.#facts.hardLimits);
    return {
      terminal,
      user,
      args,
      env,
      cwd,
      capabilities: toSpecCapabilities(capabilities, user.uid),
      ...(rlimits.length > 0 ? { rlimits } : {}),
      noNewPrivileges,
      // A process may make itself a likelier victim, never a less likely one than we are.
      oomScoreAdj: Math.max(hostConfig.OomScoreAdj ?? 0, this.#facts.oomScoreAdj),
    };
  }

  #namespaces({ keptIds }: SpecInput, namespaces: readonly SpecNamespace[]) {
    if (keptIds === undefined) return { namespaces };
    return {
      namespaces: [...namespaces, { type: 'user' } as const],
      uidMappings: keepingMap(keptIds.uid, this.#facts.mappedUids),
      gidMappings: keepingMap(keptIds.gid, this.#facts.mappedGids),
    };
  }

  /** Under a one-id map there is nobody but root to be. */
  async #user(rootfsDir: string, user: string, hostConfig: HostConfig): Promise<ResolvedUser> {
    const resolved = await resolveUserInRoot(rootfsDir, user, hostConfig.GroupAdd ?? []);
    return this.#hasOneId ? { ...resolved, user: { uid: 0, gid: 0 } } : resolved;
  }

  #seccomp(hostConfig: HostConfig, capabilities: readonly string[]): SpecSeccomp | undefined {
    const { seccomp } = parseSecurityOptions(hostConfig.SecurityOpt ?? []);
    // A profile of the user's own holds for privileged containers, too.
    const isUnconfined =
      seccomp === 'unconfined' || (hostConfig.Privileged === true && seccomp === DEFAULT_PROFILE);
    if (isUnconfined && !this.#hasOneId) return undefined;
    const chosen = isUnconfined ? UNCONFINED_PROFILE : seccomp;
    return resolveSeccomp(this.#hasOneId ? pretendIdentities(chosen) : chosen, {
      architecture: goArchitecture(this.#facts.architecture),
      capabilities: new Set(capabilities),
    });
  }

  /** Unprivileged ports and pings work as root would have them, in network namespaces of the container's own. */
  #sysctls(input: SpecInput): Readonly<Record<string, string>> {
    const { hasPingRange, mappedGids } = this.#facts;
    // The network namespace is the engine's, which has made these settings: a user namespace below it may not.
    const own = ownsNetwork(input);
    return {
      ...(own ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}),
      ...(own && hasPingRange ? { 'net.ipv4.ping_group_range': `0 ${lastGid(mappedGids)}` } : {}),
      ...(input.hostConfig.Sysctls ?? {}),
    };
  }

  get #hasOneId(): boolean {
    return this.#facts.mappedGids === 1;
  }
}

function ownsNetwork({ network, keptIds }: SpecInput): boolean {
  return network.kind === 'path' && keptIds === undefined;
}

function withDevices(process: ExecProcess, devices: CdiParts | undefined): ExecProcess {
  if (devices === undefined) return process;
  const { user } = process;
  const additionalGids = [...new Set([...(user.additionalGids ?? []), ...devices.gids])];
  const names = new Set(devices.env.map((entry) => entry.split('=', 1)[0]));
  const kept = process.env.filter((entry) => !names.has(entry.split('=', 1)[0]));
  return {
    ...process,
    env: [...kept, ...devices.env],
    user: additionalGids.length === 0 ? user : { ...user, additionalGids },
  };
}

/** What differs between the first process of a container and those of exec sessions. */
interface ProcessParts {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: readonly string[];
  readonly terminal: boolean;
  readonly privileged: boolean;
}

/** The largest group id that is mapped and that the sysctl takes. */
function lastGid(mappedGids: number): number {
  return Math.min(mappedGids, 2 ** 31) - 1;
}

function namesOf({ hostname, config }: SpecInput) {
  return {
    ...(hostname === '' ? {} : { hostname }),
    ...(config.Domainname ? { domainname: config.Domainname } : {}),
  };
}

function initMounts(initPath: string | undefined): readonly SpecMount[] {
  if (initPath === undefined) return [];
  const options = ['bind', 'ro'];
  return [{ destination: INIT_TARGET, source: initPath, type: 'bind', options }];
}

/** A mount that the user asked for takes the place of a default one at the same path. */
function mergeMounts(
  defaults: readonly SpecMount[],
  wanted: readonly SpecMount[],
): readonly SpecMount[] {
  const replaced = new Set(wanted.map(({ destination }) => destination));
  return [...defaults.filter(({ destination }) => !replaced.has(destination)), ...wanted];
}

/** Explicit lists count also when they are empty (`systempaths=unconfined` of the CLI). */
function pathRestrictions(hostConfig: HostConfig, { openSystemPaths }: SecuritySettings) {
  if (hostConfig.Privileged === true || openSystemPaths) return {};
  return {
    maskedPaths: hostConfig.MaskedPaths ?? DEFAULT_MASKED_PATHS,
    readonlyPaths: hostConfig.ReadonlyPaths ?? DEFAULT_READONLY_PATHS,
  };
}

/** Mounts that propagate need a root that does not cut them off. */
function propagationOf(mounts: readonly SpecMount[]) {
  const options = new Set(mounts.flatMap((mount) => mount.options ?? []));
  if (options.has('rshared') || options.has('shared')) return { rootfsPropagation: 'rshared' };
  if (options.has('rslave') || options.has('slave')) return { rootfsPropagation: 'rslave' };
  return {};
}
