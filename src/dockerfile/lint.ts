/** Docker's build checks (docs.docker.com/reference/build-checks). */
import { EngineError } from '../shared/errors.ts';
import type { Dockerfile } from './instruction.ts';
import { toWarning } from './lint-rule.ts';
import { CASING_RULES } from './rules/casing.ts';
import { STAGE_RULES } from './rules/stages.ts';
import { VARIABLE_RULES } from './rules/variables.ts';
import type { BuildWarning } from './source-place.ts';

const RULES = [...CASING_RULES, ...STAGE_RULES, ...VARIABLE_RULES];

/** What `# check=` says: rules that do not count, and whether findings are errors. */
interface CheckSettings {
  readonly skipsAll: boolean;
  readonly skipped: ReadonlySet<string>;
  readonly isError: boolean;
}

/** Warnings in the order of the lines. */
export function lintDockerfile(dockerfile: Dockerfile): readonly BuildWarning[] {
  const { skipsAll, skipped } = checkSettings(dockerfile);
  if (skipsAll) return [];
  return RULES.filter(({ name }) => !skipped.has(name))
    .flatMap((rule) => rule.find(dockerfile).map((finding) => toWarning(rule, finding)))
    .sort((a, b) => a.range.startLine - b.range.startLine);
}

/** Throws `invalid-argument` when the Dockerfile, or the client, wants findings to be errors and there are some. */
export function failOnWarnings(
  dockerfile: Dockerfile,
  warnings: readonly BuildWarning[],
  isWanted: boolean,
): void {
  if (warnings.length === 0 || !(isWanted || checkSettings(dockerfile).isError)) return;
  const lines = warnings.map(
    ({ rule, detail, range }) => `  - ${rule}: ${detail} (line ${range.startLine})`,
  );
  throw new EngineError(
    'invalid-argument',
    `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(', ')}\n${lines.join('\n')}`,
  );
}

function checkSettings({ check = '' }: Dockerfile): CheckSettings {
  const parts = check.split(';').map((part) => part.trim());
  const skip = parts.find((part) => part.startsWith('skip='))?.slice('skip='.length) ?? '';
  const skipped = new Set(skip.split(',').map((name) => name.trim()));
  return { skipsAll: skipped.has('all'), skipped, isError: parts.includes('error=true') };
}
