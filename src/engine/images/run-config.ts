/** From the settings of containers to what images have of them. */
import type { ImageRunConfig } from '../../oci/image-spec.ts';
import type { ContainerConfig } from '../../wire/container-config.ts';

/** What of a container's settings an image has; host name, terminal and the like belong to the container. */
export function toRunConfig(config: ContainerConfig): ImageRunConfig {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels } = config;
  const { StopSignal, StopTimeout, Healthcheck, OnBuild, Shell } = config;
  const fields = {
    ...{ User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels },
    ...{ StopSignal, StopTimeout, Healthcheck, OnBuild, Shell },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isSet(value)));
}

function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
