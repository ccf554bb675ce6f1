/**
 * crun compiles a container's seccomp rules into a filter, which takes about as long as everything else that it does
 * to create the container. It leaves the filter in its state directory, and takes one that is given to it as an
 * annotation (crun(1), `run.oci.seccomp_bpf_data`): so rules are compiled once and the filter is handed on. Runtimes
 * that know nothing of this leave no filter and ignore the annotation.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RuntimeSpec } from '../../oci/runtime-spec.ts';
import { isMissing } from '../../sys/system-errors.ts';

const ANNOTATION = 'run.oci.seccomp_bpf_data';
const FILTER_FILE = 'seccomp.bpf';
/** Rules differ by profile and capabilities: few of each, unless somebody tries them all. */
const MAX_FILTERS = 64;

export class SeccompFilters {
  /** Filters in base64 by what they were compiled from. */
  readonly #filters = new Map<string, string>();

  /** The configuration, with the filter when it is known. The rules stay in it for runtimes that want them. */
  apply(program: string, spec: RuntimeSpec): RuntimeSpec {
    const filter = this.#filters.get(keyOf(program, spec) ?? '');
    if (filter === undefined || spec.annotations?.[ANNOTATION] !== undefined) return spec;
    return { ...spec, annotations: { ...spec.annotations, [ANNOTATION]: filter } };
  }

  /** Takes the filter that `program` has made of these rules for a container, if it leaves such a thing. */
  async learn(program: string, spec: RuntimeSpec, containerStateDir: string): Promise<void> {
    const key = keyOf(program, spec);
    if (key === undefined || this.#filters.has(key)) return;
    // A filter of the user's own says nothing of the rules.
    if (spec.annotations?.[ANNOTATION] !== undefined) return;
    const filter = await readFilter(join(containerStateDir, FILTER_FILE));
    if (filter === undefined) return;
    const [oldest] = this.#filters.keys();
    if (oldest !== undefined && this.#filters.size >= MAX_FILTERS) this.#filters.delete(oldest);
    this.#filters.set(key, filter.toString('base64'));
  }
}

/** Undefined for a container without rules. */
function keyOf(program: string, { linux: { seccomp } }: RuntimeSpec): string | undefined {
  if (seccomp === undefined) return undefined;
  return createHash('sha256').update(program).update(JSON.stringify(seccomp)).digest('hex');
}

async function readFilter(path: string): Promise<Buffer | undefined> {
  try {
    const filter = await readFile(path);
    return filter.length > 0 ? filter : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
