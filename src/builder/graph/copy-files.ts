/** Carries out COPY and ADD. */
import { workingDir } from '../../dockerfile/change-config.ts';
import { type Expansion, expandText, expandWord } from '../../dockerfile/expand-word.ts';
import type { CopyInstruction, Located } from '../../dockerfile/instruction.ts';
import { digestOf } from '../../oci/digest.ts';
import type { StepLog } from '../cache/layer-cache.ts';
import { addSources } from '../steps/add-sources.ts';
import { copyStep, destinationOf, type PlannedCopy, planCopy } from '../steps/copy-step.ts';
import type { BuildRun } from './build-run.ts';
import { type LayerStep, layerStep, type StageRun } from './layer-step.ts';
import { type StageState, topOf } from './stage-state.ts';
import type { StepOutcome } from './step-reporter.ts';

interface CopyInput {
  readonly state: StageState;
  readonly instruction: Located<CopyInstruction>;
  readonly expansion: Expansion;
}

/** COPY and ADD. With `--link` the files know nothing of the state that they are put on, and find the same layer on any. */
export async function copyFiles(
  stage: StageRun,
  given: CopyInput,
  log: (log: StepLog) => void,
): Promise<StepOutcome<StageState>> {
  const { run } = stage;
  const { state, instruction } = given;
  const plans = await planCopies(run, given);
  const parent = instruction.link ? undefined : topOf(state);
  const digests = plans.map(({ digest }) => digest);
  const step: LayerStep = {
    key: digestOf(JSON.stringify([instruction.kind, parent, digests])),
    parent,
    text: instruction.text,
    createdBy: `${instruction.text} # buildkit`,
    make: () => copyStep(run.deps, parent, plans),
  };
  return await layerStep(stage, state, { step, log });
}

async function planCopies(
  run: BuildRun,
  { state, instruction, expansion }: CopyInput,
): Promise<readonly PlannedCopy[]> {
  const expand = (word: string) => expandWord(word, expansion);
  const optional = (word: string | undefined) => (word === undefined ? undefined : expand(word));
  const parts = await addSources(run, {
    instruction,
    sources: instruction.sources.map(expand),
    contentOf: (doc) => (doc.expand ? expandText(doc.content, expansion) : doc.content),
  });
  const destination = destinationOf(expand(instruction.destination), {
    workingDir: workingDir(state, ''),
    count: instruction.sources.length + instruction.heredocs.length,
    parents: instruction.parents,
  });
  const common = {
    destination,
    excludes: instruction.excludes.map(expand),
    chown: optional(instruction.chown),
    chmod: optional(instruction.chmod),
  };
  const plans: PlannedCopy[] = [];
  for (const part of parts) plans.push(await planCopy(run.digests, { ...part, ...common }));
  return plans;
}
