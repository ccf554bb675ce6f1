/** Docker's build checks (docs.docker.com/reference/build-checks). */
import { EngineError } from '../shared/errors.ts';
import type { Dockerfile } from './instruction.ts';
import { type LintRule, toWarning } from './lint-rule.ts';
import { CASING_RULES } from './rules/casing.ts';
import { COPY_RULES } from './rules/copies.ts';
import { DESCRIPTION_RULES } from './rules/descriptions.ts';
import { STAGE_RULES } from './rules/stages.ts';
import { VARIABLE_RULES } from './rules/variables.ts';
import type { BuildWarning } from './source-place.ts';

const RULES: readonly LintRule[] = [
  ...CASING_RULES,
  ...STAGE_RULES,
  ...VARIABLE_RULES,
  ...COPY_RULES,
  ...DESCRIPTION_RULES,
];

/** What `# check=` says: which rules count, and whether findings are errors. */
interface CheckSettings {
  readonly isSkipped: (rule: string) => boolean;
  readonly isTried: (rule: string) => boolean;
  readonly isError: boolean;
}

/** What the client says of checks. */
export interface LintRequest {
  /** Stands in for what the Dockerfile has as `# check=`. */
  readonly check: string | undefined;
  /** Whether a path of the context is left out by .dockerignore. */
  isIgnored(path: string): boolean;
}

/** Warnings in the order of the lines. */
export function lintDockerfile(
  dockerfile: Dockerfile,
  request: LintRequest,
): readonly BuildWarning[] {
  const { isSkipped, isTried } = checkSettings(dockerfile, request);
  return RULES.filter(({ name, isExperimental }) =>
    isExperimental === true ? isTried(name) : !isSkipped(name),
  )
    .flatMap((rule) =>
      rule.find(dockerfile, request.isIgnored).map((finding) => toWarning(rule, finding)),
    )
    .sort((a, b) => a.range.startLine - b.range.startLine);
}

/** Throws `invalid-argument` when the Dockerfile, or the client, wants findings to be errors and there are some. */
export function failOnWarnings(
  dockerfile: Dockerfile,
  warnings: readonly BuildWarning[],
  request: Pick<LintRequest, 'check'>,
): void {
  if (warnings.length === 0 || !checkSettings(dockerfile, request).isError) return;
  const lines = warnings.map(
    ({ rule, detail, range }) => `  - ${rule}: ${detail} (line ${range.startLine})`,
  );
  throw new EngineError(
    'invalid-argument',
    `lint violation found for rules: ${[...new Set(warnings.map(({ rule }) => rule))].join(', ')}\n${lines.join('\n')}`,
  );
}

function checkSettings(
  dockerfile: Dockerfile,
  { check = dockerfile.check ?? '' }: Pick<LintRequest, 'check'>,
): CheckSettings {
  const parts = check.split(';').map((part) => part.trim());
  const isIn = (key: string) => {
    const value = parts.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
    const names = value.split(',').map((name) => name.trim());
    return (rule: string) => names.includes(rule) || names.includes('all');
  };
  return {
    isSkipped: isIn('skip'),
    isTried: isIn('experimental'),
    isError: parts.includes('error=true'),
  };
}
