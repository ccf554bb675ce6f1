/** A container's config with its image's defaults filled in, as `docker create` does it. */
import { posix } from 'node:path';
import type { ImageRunConfig } from '../../oci/image-spec.ts';
import type { ContainerConfig, HealthConfig } from '../../wire/container-config.ts';

/**
 * What the user gave wins. `Cmd` is taken from the image only when neither `Cmd` nor `Entrypoint` was given;
 * an entrypoint of one empty string clears the image's. Environment variables are merged by name.
 */
export function mergeImageConfig(user: ContainerConfig, image: ImageRunConfig): ContainerConfig {
  return {
    ...user,
    ...mergeCommand(user, image),
    User: user.User || image.User || '',
    WorkingDir: shortest(user.WorkingDir || image.WorkingDir || ''),
    Env: mergeEnv(user.Env ?? [], image.Env ?? []),
    ExposedPorts: { ...image.ExposedPorts, ...user.ExposedPorts },
    Volumes: { ...image.Volumes, ...user.Volumes },
    Labels: { ...image.Labels, ...user.Labels },
    StopSignal: user.StopSignal || image.StopSignal || '',
    ...mergeHealth(user, image),
    ...pickStopTimeout(user, image),
    ...(image.OnBuild == null ? {} : { OnBuild: image.OnBuild }),
    ...pickShell(user, image),
  };
}

/** A directory without dots in its path and without a slash at its end. */
function shortest(dir: string): string {
  return dir === '' ? '' : posix.normalize(dir).replace(/(?<=.)\/$/, '');
}

function mergeCommand(user: ContainerConfig, image: ImageRunConfig) {
  const given = user.Entrypoint ?? [];
  if (given.length > 0) {
    const cleared = given.length === 1 && given[0] === '';
    return { Entrypoint: cleared ? null : given, Cmd: user.Cmd ?? null };
  }
  const cmd = user.Cmd ?? [];
  return {
    Entrypoint: image.Entrypoint ?? null,
    Cmd: cmd.length > 0 ? cmd : (image.Cmd ?? null),
  };
}

function mergeEnv(user: readonly string[], image: readonly string[]): readonly string[] {
  const given = new Set(user.map(variableName));
  return [...user, ...image.filter((variable) => !given.has(variableName(variable)))];
}

function variableName(variable: string): string {
  const at = variable.indexOf('=');
  return at < 0 ? variable : variable.slice(0, at);
}

function mergeHealth(user: ContainerConfig, image: ImageRunConfig) {
  const inherited = image.Healthcheck as HealthConfig | null | undefined;
  if (user.Healthcheck == null) return inherited == null ? {} : { Healthcheck: inherited };
  return { Healthcheck: { ...inherited, ...givenHealth(user.Healthcheck) } };
}

/** What the user set: an empty command and a zero mean "as in the image". */
function givenHealth(check: HealthConfig): HealthConfig {
  const isGiven = ([, value]: [string, unknown]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== 0;
  return Object.fromEntries(Object.entries(check).filter(isGiven));
}

function pickStopTimeout(user: ContainerConfig, image: ImageRunConfig) {
  const timeout = user.StopTimeout ?? image.StopTimeout;
  return timeout == null ? {} : { StopTimeout: timeout };
}

function pickShell(user: ContainerConfig, image: ImageRunConfig) {
  const shell = user.Shell ?? image.Shell;
  return shell == null ? {} : { Shell: shell };
}
