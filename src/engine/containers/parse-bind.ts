/** The short form of mounts: `source:destination[:options]` (`docker run --volume`). */
import { invalidMount } from './container-errors.ts';

export interface ParsedBind {
  /** Absolute host path, or the name of a volume. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** The options as given. */
  readonly mode: string;
  readonly propagation: string;
  readonly noCopy: boolean;
}

const ACCESS = new Set(['ro', 'rw']);
const PROPAGATION = new Set(['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave']);
const LABEL = new Set(['z', 'Z']);
const CONSISTENCY = new Set(['consistent', 'cached', 'delegated', 'default']);
/** Docker's rule for volume names (`RestrictedNamePattern`). */
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Parses one bind; `invalid-argument` with Docker's text when it is malformed. */
export function parseBind(text: string): ParsedBind {
  const parts = text.split(':');
  const [source, destination, mode = ''] = parts;
  if (!source || !destination || parts.length > 3) throw invalidBind(text);
  const options = mode === '' ? [] : mode.split(',');
  checkOptions(text, mode, options);
  if (!source.startsWith('/') && !VOLUME_NAME.test(source)) {
    throw invalidMount(
      `create ${source}: "${source}" includes invalid characters for a local volume name, ` +
        'only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ' +
        'If you intended to pass a host directory, use absolute path',
    );
  }
  return {
    source,
    destination,
    mode,
    readOnly: options.includes('ro'),
    propagation: options.find((option) => PROPAGATION.has(option)) ?? '',
    noCopy: options.includes('nocopy'),
  };
}

function checkOptions(text: string, mode: string, options: readonly string[]): void {
  const groups = [ACCESS, PROPAGATION, LABEL, CONSISTENCY, new Set(['nocopy'])];
  for (const option of options) {
    if (!groups.some((group) => group.has(option))) throw invalidMode(mode);
  }
  const repeated = groups.some((group) => options.filter((option) => group.has(option)).length > 1);
  if (repeated) throw invalidBind(text);
}

function invalidBind(text: string) {
  return invalidMount(`invalid volume specification: '${text}'`);
}

function invalidMode(mode: string) {
  return invalidMount(`invalid mode: ${mode}`);
}
