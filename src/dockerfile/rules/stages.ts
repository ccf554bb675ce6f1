/** Rules about stages and what they hold. */
import type { Dockerfile, Stage } from '../instruction.ts';
import type { Finding, LintRule } from '../lint-rule.ts';

const duplicateStageName: LintRule = {
  name: 'DuplicateStageName',
  description: 'Stage names should be unique',
  find: ({ stages }) =>
    stages.flatMap(({ name, index, from }) =>
      name !== undefined && stages.slice(0, index).some((other) => other.name === name)
        ? {
            range: from.range,
            detail: `Duplicate stage name "${name}", stage names should be unique`,
          }
        : [],
    ),
};

const RESERVED_STAGE_NAMES = ['context', 'scratch'];

const reservedStageName: LintRule = {
  name: 'ReservedStageName',
  description: 'Reserved words should not be used as stage names',
  find: ({ stages }) =>
    stages.flatMap(({ name, from: { range } }) =>
      name !== undefined && RESERVED_STAGE_NAMES.includes(name)
        ? { range, detail: `Stage name should not use the same name as reserved stage "${name}"` }
        : [],
    ),
};

const workdirRelativePath: LintRule = {
  name: 'WorkdirRelativePath',
  description:
    'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
  find: ({ stages }) => stages.flatMap(firstRelative),
};

function firstRelative({ instructions }: Stage): readonly Finding[] {
  const first = instructions.find(({ kind }) => kind === 'WORKDIR');
  if (first?.kind !== 'WORKDIR' || /^[/$]/.test(first.value)) return [];
  const detail = `Relative workdir "${first.value}" can have unexpected results if the base image changes`;
  return [{ range: first.range, detail }];
}

const maintainerDeprecated: LintRule = {
  name: 'MaintainerDeprecated',
  description:
    'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
  find: ({ stages }) =>
    stages
      .flatMap(({ instructions }) => instructions)
      .flatMap(({ kind, range }) =>
        kind === 'MAINTAINER'
          ? { range, detail: 'Maintainer instruction is deprecated in favor of using label' }
          : [],
      ),
};

const jsonArgsRecommended: LintRule = {
  name: 'JSONArgsRecommended',
  description:
    'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
  find: ({ stages }) =>
    stages.flatMap(({ instructions }) => {
      if (instructions.some(({ kind }) => kind === 'SHELL')) return [];
      return instructions.flatMap((one) => {
        if (one.kind !== 'CMD' && one.kind !== 'ENTRYPOINT') return [];
        if (one.command.form === 'exec' || one.command.line === '') return [];
        const detail = `JSON arguments recommended for ${one.kind} to prevent unintended behavior related to OS signals`;
        return { range: one.range, detail };
      });
    }),
};

const multipleInstructionsDisallowed: LintRule = {
  name: 'MultipleInstructionsDisallowed',
  description: 'Multiple instructions of the same type should not be used in the same stage',
  find: ({ stages }) =>
    stages.flatMap(({ instructions }) =>
      ['CMD', 'ENTRYPOINT', 'HEALTHCHECK'].flatMap((kind) =>
        instructions
          .filter((one) => one.kind === kind)
          .slice(0, -1)
          .map(({ range }) => ({
            range,
            detail: `Multiple ${kind} instructions should not be used in the same stage because only the last one will be used`,
          })),
      ),
    ),
};

const legacyKeyValueFormat: LintRule = {
  name: 'LegacyKeyValueFormat',
  description: 'Legacy key/value format with whitespace separator should not be used',
  find: ({ stages }) =>
    stages
      .flatMap(({ instructions }) => instructions)
      .flatMap((one) => {
        if ((one.kind !== 'ENV' && one.kind !== 'LABEL') || !one.isOld) return [];
        const detail = `"${one.kind} key=value" should be used instead of legacy "${one.kind} key value" format`;
        return { range: one.range, detail };
      }),
};

const fromPlatformFlagConstDisallowed: LintRule = {
  name: 'FromPlatformFlagConstDisallowed',
  description: 'FROM --platform flag should not use a constant value',
  find: ({ stages }) =>
    stages.flatMap(({ from: { platform, range, stageName } }) => {
      if (platform === undefined || platform.includes('$') || stageName !== undefined) return [];
      return {
        range,
        detail: `FROM --platform flag should not use constant value "${platform}"`,
      };
    }),
};

const redundantTargetPlatform: LintRule = {
  name: 'RedundantTargetPlatform',
  description:
    'Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior',
  find: ({ stages }) =>
    stages.flatMap(({ from: { platform = '', range } }) =>
      /^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform)
        ? {
            range,
            detail: `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`,
          }
        : [],
    ),
};

const SECRET_WORDS =
  /(?:^|_)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)/i;
const PUBLIC_WORDS = /(?:^|_)public(?:_|$)/i;

const secretsUsedInArgOrEnv: LintRule = {
  name: 'SecretsUsedInArgOrEnv',
  description: 'Sensitive data should not be used in the ARG or ENV commands',
  find: (dockerfile) =>
    namesIn(dockerfile).flatMap(({ kind, name, range }) =>
      SECRET_WORDS.test(name) && !PUBLIC_WORDS.test(name)
        ? {
            range,
            detail: `Do not use ARG or ENV instructions for sensitive data (${kind} "${name}")`,
          }
        : [],
    ),
};

function namesIn({ stages, globalArgs }: Dockerfile) {
  const all = [...globalArgs, ...stages.flatMap(({ instructions }) => instructions)];
  return all.flatMap((one) => {
    const { kind, range } = one;
    if (one.kind === 'ARG') return one.args.map(({ name }) => ({ kind, name, range }));
    return one.kind === 'ENV' ? one.pairs.map(([name]) => ({ kind, name, range })) : [];
  });
}

export const STAGE_RULES: readonly LintRule[] = [
  duplicateStageName,
  reservedStageName,
  workdirRelativePath,
  maintainerDeprecated,
  jsonArgsRecommended,
  multipleInstructionsDisallowed,
  legacyKeyValueFormat,
  fromPlatformFlagConstDisallowed,
  redundantTargetPlatform,
  secretsUsedInArgOrEnv,
];
