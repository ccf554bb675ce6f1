/** The tables together. */
import type { BuildCase } from './build-case.ts';
import { COPY_CASES } from './copies.ts';
import { INSTRUCTION_CASES } from './instructions.ts';
import { MISTAKE_CASES } from './mistakes.ts';
import { RUN_CASES } from './runs.ts';
import { STAGE_CASES } from './stages.ts';
import { VARIABLE_CASES } from './variables.ts';

/** By theme. */
export const BUILD_CASES: Readonly<Record<string, readonly BuildCase[]>> = {
  instructions: INSTRUCTION_CASES,
  variables: VARIABLE_CASES,
  copies: COPY_CASES,
  runs: RUN_CASES,
  stages: STAGE_CASES,
  mistakes: MISTAKE_CASES,
};
