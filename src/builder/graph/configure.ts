/** Instructions that change the image's settings and no files. */
import { changeConfig } from '../../dockerfile/change-config.ts';
import { type Expansion, expandWord } from '../../dockerfile/expand-word.ts';
import type { StageInstruction } from '../../dockerfile/instruction.ts';
import { type StageState, withConfig } from './stage-state.ts';

/** Instructions that make no layer and declare nothing. */
type Setting = Exclude<StageInstruction, { kind: 'ARG' | 'RUN' | 'COPY' | 'ADD' }>;

/** The state after the instruction. `invalid-argument` when a word cannot be expanded or means nothing. */
export function configure(state: StageState, setting: Setting, expansion: Expansion): StageState {
  if (setting.kind === 'MAINTAINER') {
    const author = expandWord(setting.value, expansion);
    return withConfig(state, { author }, `MAINTAINER ${author}`);
  }
  const { createdBy, ...change } = changeConfig(state, setting, expansion);
  return withConfig(state, change, createdBy);
}
