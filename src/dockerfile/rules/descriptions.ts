/** Rules about comments that describe what stands below them. */
import type { Dockerfile, Place } from '../instruction.ts';
import type { LintRule } from '../lint-rule.ts';

interface Definition extends Place {
  readonly names: readonly string[];
  /** What it is called in the finding. */
  readonly what: string;
}

const invalidDefinitionDescription: LintRule = {
  name: 'InvalidDefinitionDescription',
  description:
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
  isExperimental: true,
  find: (dockerfile) =>
    definitionsIn(dockerfile).flatMap(({ names, what, comments = [], range }) => {
      const comment = comments.at(-1);
      if (comment === undefined || names.length === 0) return [];
      if (names.includes(comment.split(' ')[0] ?? '')) return [];
      const name = names.length > 1 ? '<arg_key>' : names[0];
      const detail = `Comment for ${what} should follow the format: \`# ${name} <description>\``;
      return { range, detail };
    }),
};

function definitionsIn({ globalArgs, stages }: Dockerfile): readonly Definition[] {
  const all = [
    ...globalArgs,
    ...stages.flatMap(({ from, instructions }) => [from, ...instructions]),
  ];
  return all.flatMap((one): readonly Definition[] => {
    if (one.kind === 'ARG') {
      return [{ ...one, names: one.args.map(({ name }) => name), what: 'ARG' }];
    }
    if (one.kind !== 'FROM' || one.stageName === undefined) return [];
    return [{ ...one, names: [one.stageName], what: 'FROM' }];
  });
}

export const DESCRIPTION_RULES: readonly LintRule[] = [invalidDefinitionDescription];
