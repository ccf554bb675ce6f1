/** What can be wrong with a create request before anything is looked up. */
import type { CreateContainerRequest } from '../../api/backends.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import { parseContainerPorts } from '../../wire/port-syntax.ts';
import { checkHealthcheck } from '../health/check-healthcheck.ts';
import { checkHostConfig } from './check-host-config.ts';
import type { ContainerSettings } from './container-deps.ts';
import {
  autoRemoveWithRestart,
  invalidRestartPolicy,
  invalidVariable,
  invalidWorkingDir,
  requireSignal,
  unknownRuntime,
} from './container-errors.ts';
import { checkNetworkOptions, publishRequests } from './network-mode.ts';

const RESTART_POLICIES = ['', 'no', 'always', 'unless-stopped', 'on-failure'];

/** Throws `invalid-argument` with dockerd's text. */
export function checkCreateRequest(
  settings: Pick<ContainerSettings, 'runtimeNames'>,
  request: CreateContainerRequest,
): void {
  const { config, hostConfig } = request;
  checkRestartPolicy(hostConfig);
  checkHostConfig(hostConfig);
  checkHealthcheck(config.Healthcheck);
  checkNetworkOptions(config, hostConfig);
  publishRequests(config, hostConfig);
  for (const port of Object.keys(config.ExposedPorts ?? {})) parseContainerPorts(port);
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    throw invalidWorkingDir(config.WorkingDir);
  }
  const unnamed = config.Env?.find((line) => line === '' || line.startsWith('='));
  if (unnamed !== undefined) throw invalidVariable(unnamed);
  if (config.StopSignal) requireSignal(config.StopSignal);
  const runtime = hostConfig.Runtime;
  if (runtime && !settings.runtimeNames.includes(runtime)) throw unknownRuntime(runtime);
}

/** Throws `invalid-argument` for a policy that does not exist or contradicts the rest. */
export function checkRestartPolicy(hostConfig: HostConfig): void {
  const name = hostConfig.RestartPolicy?.Name ?? '';
  const retries = hostConfig.RestartPolicy?.MaximumRetryCount ?? 0;
  if (!RESTART_POLICIES.includes(name)) {
    throw invalidRestartPolicy(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (retries < 0) {
    throw invalidRestartPolicy('invalid restart policy: maximum retry count cannot be negative');
  }
  if (retries > 0 && name !== 'on-failure') {
    throw invalidRestartPolicy(
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    );
  }
  if (hostConfig.AutoRemove === true && name !== '' && name !== 'no') throw autoRemoveWithRestart();
}
