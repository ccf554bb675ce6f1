/** Rules about how things are written. */
import type { Dockerfile } from '../instruction.ts';
import type { LintRule } from '../lint-rule.ts';

const isUpper = (word: string) => word === word.toUpperCase();
const isLower = (word: string) => word === word.toLowerCase();

const stageNameCasing: LintRule = {
  name: 'StageNameCasing',
  description: 'Stage names should be lowercase',
  find: ({ stages }) =>
    stages.flatMap(({ from: { stageName, range } }) =>
      stageName === undefined || isLower(stageName)
        ? []
        : { range, detail: `Stage name '${stageName}' should be lowercase` },
    ),
};

const fromAsCasing: LintRule = {
  name: 'FromAsCasing',
  description: "The 'as' keyword should match the case of the 'from' keyword",
  find: ({ stages }) =>
    stages.flatMap(({ from: { keyword = 'FROM', asWord, range } }) => {
      if (asWord === undefined || isUpper(keyword) === isUpper(asWord)) return [];
      return { range, detail: `'${asWord}' and '${keyword}' keywords' casing do not match` };
    }),
};

const noEmptyContinuation: LintRule = {
  name: 'NoEmptyContinuation',
  description: 'Empty continuation lines will become errors in a future release',
  find: ({ stages }) =>
    stages
      .flatMap(({ from, instructions }) => [from, ...instructions])
      .flatMap(({ hasEmptyContinuation, range }) =>
        hasEmptyContinuation === true
          ? { range, detail: `Empty continuation line (near line ${range.endLine})` }
          : [],
      ),
};

const consistentInstructionCasing: LintRule = {
  name: 'ConsistentInstructionCasing',
  description:
    'All commands within the Dockerfile should use the same casing (either upper or lower)',
  find: ({ stages, globalArgs }) => {
    const all = [
      ...globalArgs,
      ...stages.flatMap(({ from, instructions }) => [from, ...instructions]),
    ];
    const words = all.map(({ keyword = '' }) => keyword);
    const upper = words.filter(isUpper).length;
    const lower = words.filter(isLower).length;
    const wanted = lower > upper ? 'lowercase' : 'uppercase';
    const fits = wanted === 'lowercase' ? isLower : isUpper;
    return all.flatMap(({ keyword = '', range }) =>
      fits(keyword)
        ? []
        : {
            range,
            detail: `Command '${keyword}' should match the case of the command majority (${wanted})`,
          },
    );
  },
};

const exposedWords = ({ stages }: Dockerfile) =>
  stages
    .flatMap(({ instructions }) => instructions)
    .flatMap(({ range, ...one }) =>
      one.kind === 'EXPOSE' ? one.ports.map((port) => ({ range, port })) : [],
    );

const exposeInvalidFormat: LintRule = {
  name: 'ExposeInvalidFormat',
  description:
    'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
  find: (dockerfile) =>
    exposedWords(dockerfile)
      // In `${P:-80}` the colon belongs to the variable.
      .filter(({ port }) => port.replaceAll(/\$\{[^}]*\}/g, '').includes(':'))
      .map(({ port, range }) => ({
        range,
        detail: `EXPOSE instruction should not define an IP address or host-port mapping, found '${port}'`,
      })),
};

const exposeProtoCasing: LintRule = {
  name: 'ExposeProtoCasing',
  description: 'Protocol in EXPOSE instruction should be lowercase',
  find: (dockerfile) =>
    exposedWords(dockerfile).flatMap(({ port, range }) =>
      /\/.*[A-Z]/.test(port)
        ? {
            range,
            detail: `Defined protocol '${port}' in EXPOSE instruction should be lowercase`,
          }
        : [],
    ),
};

export const CASING_RULES: readonly LintRule[] = [
  stageNameCasing,
  fromAsCasing,
  noEmptyContinuation,
  consistentInstructionCasing,
  exposeProtoCasing,
  exposeInvalidFormat,
];
