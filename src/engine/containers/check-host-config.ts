/** What of `HostConfig` is refused when a container is created, with Docker's texts where it has one. */
import { isIP } from 'node:net';
import type { HostConfig } from '../../wire/container-config.ts';
import { checkResources } from './check-resources.ts';
import { invalidHostConfig } from './host-config-errors.ts';
import { parseLink } from './links.ts';
import { checkLogConfig } from './log-drivers.ts';
import { userNamespaceProblem } from './user-namespace-mode.ts';

/** Tells why the settings are refused, or nothing. */
type Check = (hostConfig: HostConfig) => string | undefined;

const OOM_SCORE_LIMIT = 1000;

const CHECKS: readonly Check[] = [
  checkNamespaces,
  ({ UsernsMode = '' }) => userNamespaceProblem(UsernsMode),
  ({ Isolation = '' }) =>
    ['', 'default'].includes(Isolation.toLowerCase())
      ? undefined
      : `invalid isolation "${Isolation}": linux only supports 'default'`,
  ({ Cgroup = '' }) =>
    Cgroup === '' ? undefined : `joining the control group of ${Cgroup} is not supported`,
  ({ ShmSize = 0 }) => (ShmSize < 0 ? 'SHM size can not be less than 0' : undefined),
  ({ OomScoreAdj: score = 0 }) =>
    Math.abs(score) > OOM_SCORE_LIMIT
      ? `Invalid value ${score}, range for oom score adj is [-1000, 1000]`
      : undefined,
  ({ StorageOpt }) =>
    Object.keys(StorageOpt ?? {}).length === 0
      ? undefined
      : '--storage-opt is supported only for overlay over xfs with project quotas, which only root can set',
  ({ Dns }) => {
    const notAServer = (Dns ?? []).find((address) => isIP(address) === 0);
    return notAServer === undefined
      ? undefined
      : `bad nameserver address: ${JSON.stringify(notAServer)}`;
  },
  ({ ExtraHosts }) =>
    (ExtraHosts ?? []).map(extraHostProblem).find((problem) => problem !== undefined),
  ({ Annotations }) =>
    '' in (Annotations ?? {})
      ? 'invalid Annotations: the empty string is not permitted as an annotation key'
      : undefined,
];

/** Throws `invalid-argument`. */
export function checkHostConfig(hostConfig: HostConfig): void {
  for (const check of CHECKS) {
    const refusal = check(hostConfig);
    if (refusal !== undefined) throw invalidHostConfig(refusal);
  }
  for (const link of hostConfig.Links ?? []) parseLink(link);
  checkResources(hostConfig);
  checkLogConfig(hostConfig.LogConfig);
}

/** `name:address` or `name=address`; the address of `host-gateway` is known at start. */
function extraHostProblem(text: string): string | undefined {
  const [, address = ''] = /^[^:=]+[:=]\[?(.+?)\]?$/.exec(text) ?? [];
  if (address === '') return `bad format for add-host: ${JSON.stringify(text)}`;
  return address === 'host-gateway' || isIP(address) !== 0
    ? undefined
    : `invalid IP address in add-host: ${JSON.stringify(address)}`;
}

function checkNamespaces(hostConfig: HostConfig): string | undefined {
  const { PidMode = '', IpcMode = '', UTSMode = '', CgroupnsMode = '' } = hostConfig;
  if (!(PidMode === 'host' || isOwnOrContainer(PidMode, [''])))
    return `invalid PID mode: ${PidMode}`;
  if (!isOwnOrContainer(IpcMode, ['', 'private', 'shareable', 'none', 'host'])) {
    return `invalid IPC mode: ${IpcMode}`;
  }
  if (!['', 'host'].includes(UTSMode)) return `invalid UTS mode: ${UTSMode}`;
  if (!['', 'private', 'host'].includes(CgroupnsMode)) {
    return `invalid cgroup namespace mode: ${CgroupnsMode}`;
  }
  return undefined;
}

function isOwnOrContainer(mode: string, own: readonly string[]): boolean {
  return own.includes(mode) || /^container:./.test(mode);
}
