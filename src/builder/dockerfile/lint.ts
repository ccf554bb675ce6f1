/** Docker's build checks (docs.docker.com/reference/build-checks). */
import type { BuildWarning } from '../build-progress.ts';
import type { DockerfileSource } from '../solver.ts';
import type { Dockerfile } from './instruction.ts';

/** Warnings in the order of the lines. */
export function lintDockerfile(
  _dockerfile: Dockerfile,
  _source: DockerfileSource,
): readonly BuildWarning[] {
  return [];
}
