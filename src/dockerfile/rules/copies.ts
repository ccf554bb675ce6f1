/** Rules about files of the context. */
import { posix } from 'node:path';
import type { LintRule } from '../lint-rule.ts';

/** What does not come from the context, or is known only when the build runs. */
const ELSEWHERE = /\$|^https?:\/\/|^git[@:]/;

const copyIgnoredFile: LintRule = {
  name: 'CopyIgnoredFile',
  description: 'Attempting to Copy file that is excluded by .dockerignore',
  find: ({ stages }, isIgnored) =>
    stages
      .flatMap(({ instructions }) => instructions)
      .flatMap((one) => {
        if ((one.kind !== 'COPY' && one.kind !== 'ADD') || one.from !== undefined) return [];
        const verb = one.kind === 'COPY' ? 'Copy' : 'Add';
        return one.sources
          .filter((source) => !ELSEWHERE.test(source) && isIgnored(pathOf(source)))
          .map((source) => ({
            range: one.range,
            detail: `Attempting to ${verb} file "${source}" that is excluded by .dockerignore`,
          }));
      }),
};

/** Relative, without dots. */
function pathOf(source: string): string {
  return posix.join('/', source).slice(1).replace(/\/$/, '');
}

export const COPY_RULES: readonly LintRule[] = [copyIgnoredFile];
