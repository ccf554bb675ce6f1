/** Rules about variables that nobody sets. */
import { suggestion } from '../dockerfile-errors.ts';
import { expandWord } from '../expand-word.ts';
import type { Dockerfile, Stage, StageInstruction } from '../instruction.ts';
import type { Finding, LintRule } from '../lint-rule.ts';

/** Known in FROM without being declared. */
const PLATFORM_ARGS = ['BUILD', 'TARGET'].flatMap((prefix) =>
  ['PLATFORM', 'OS', 'ARCH', 'VARIANT', 'OSVERSION'].map((part) => prefix + part),
);
/** What every base image has, or what cannot be known of it. */
const OF_IMAGES = ['PATH', 'HOME', 'HOSTNAME', 'TERM'];

/** Variables of a word that are not among the known ones. A broken word is no business of these rules. */
function unsetIn(
  word: string,
  known: ReadonlySet<string>,
  escapeChar: Dockerfile['escapeChar'],
): readonly string[] {
  const unset: string[] = [];
  try {
    expandWord(word, {
      lookup: (name) => (known.has(name) ? 'x' : undefined),
      escapeChar,
      onUnset: (name) => unset.push(name),
    });
  } catch {
    return [];
  }
  return unset;
}

const globalNames = ({ globalArgs }: Dockerfile) =>
  new Set([...PLATFORM_ARGS, ...globalArgs.flatMap(({ args }) => args.map(({ name }) => name))]);

const undefinedArgInFrom: LintRule = {
  name: 'UndefinedArgInFrom',
  description: 'FROM command must use declared ARGs',
  find: (dockerfile) => {
    const known = globalNames(dockerfile);
    return dockerfile.stages.flatMap(({ from: { image, platform = '', range } }) =>
      [image, platform]
        .flatMap((word) => unsetIn(word, known, dockerfile.escapeChar))
        .map((name) => ({
          range,
          detail: `FROM argument '${name}' is not declared${suggestion(name, known)}`,
        })),
    );
  },
};

const invalidDefaultArgInFrom: LintRule = {
  name: 'InvalidDefaultArgInFrom',
  description: 'Default value for global ARG results in an empty or invalid base image name',
  find: (dockerfile) => {
    const set = new Set(PLATFORM_ARGS);
    for (const { args } of dockerfile.globalArgs) {
      for (const { name, value } of args) if (value !== undefined && value !== '') set.add(name);
    }
    const declared = globalNames(dockerfile);
    return dockerfile.stages.flatMap(({ from: { image, range } }) => {
      const missing = unsetIn(image, set, dockerfile.escapeChar);
      if (!missing.some((name) => declared.has(name))) return [];
      const detail = `Default value for ARG ${image} results in empty or invalid base image name`;
      return { range, detail };
    });
  },
};

const undefinedVar: LintRule = {
  name: 'UndefinedVar',
  description: 'Variables should be defined before their use',
  find: (dockerfile) => {
    const ofStages: Set<string>[] = [];
    return dockerfile.stages.flatMap((stage) => {
      const base = dockerfile.stages.findLast(
        ({ name, index }) => index < stage.index && name === stage.from.image.toLowerCase(),
      );
      const known = new Set(base === undefined ? OF_IMAGES : ofStages[base.index]);
      const findings = findUndefined(stage, known, dockerfile.escapeChar);
      ofStages[stage.index] = known;
      return findings;
    });
  },
};

/** Adds what the stage sets to `known`. */
function findUndefined(
  { instructions }: Stage,
  known: Set<string>,
  escapeChar: Dockerfile['escapeChar'],
): readonly Finding[] {
  return instructions.flatMap((one) => {
    const unset = wordsOf(one).flatMap((word) => unsetIn(word, known, escapeChar));
    for (const name of namesSetBy(one)) known.add(name);
    return unset.map((name) => ({
      range: one.range,
      detail: `Usage of undefined variable '$${name}'${suggestion(name, known)}`,
    }));
  });
}

function namesSetBy(one: StageInstruction): readonly string[] {
  if (one.kind === 'ARG') return one.args.map(({ name }) => name);
  return one.kind === 'ENV' ? one.pairs.map(([name]) => name) : [];
}

/** The words that are expanded. */
function wordsOf(one: StageInstruction): readonly string[] {
  switch (one.kind) {
    case 'ENV':
    case 'LABEL':
      return one.pairs.flat();
    case 'ARG':
      return one.args.flatMap(({ value }) => value ?? []);
    case 'COPY':
    case 'ADD':
      return [...one.sources, one.destination];
    case 'EXPOSE':
      return one.ports;
    case 'VOLUME':
      return one.paths;
    case 'USER':
    case 'WORKDIR':
    case 'STOPSIGNAL':
      return [one.value];
    default:
      return [];
  }
}

export const VARIABLE_RULES: readonly LintRule[] = [
  undefinedArgInFrom,
  invalidDefaultArgInFrom,
  undefinedVar,
];
