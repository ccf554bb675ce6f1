/** Stages, targets, triggers. */
import type { BuildCase } from './build-case.ts';

export const STAGE_CASES: readonly BuildCase[] = [
  {
    name: 'a stage on a stage',
    dockerfile: 'FROM BASE AS a\nRUN echo 1 >/a\nFROM a\nRUN test -f /a',
  },
  {
    name: 'names of stages in any case',
    dockerfile: 'FROM BASE AS Build\nRUN echo 1 >/a\nFROM BASE\nCOPY --from=bUILD /a /a',
  },
  {
    name: '--target stops there',
    dockerfile: 'FROM BASE AS a\nCMD ["a"]\nFROM BASE AS b\nRUN false',
    flags: ['--target', 'a'],
    config: { Cmd: ['a'] },
  },
  {
    name: '--target by number',
    dockerfile: 'FROM BASE\nCMD ["a"]\nFROM BASE\nRUN false',
    flags: ['--target', '0'],
    config: { Cmd: ['a'] },
  },
  {
    name: 'stages that nobody needs are left out',
    dockerfile: 'FROM BASE AS broken\nRUN false\nFROM BASE\nRUN true',
  },
  {
    name: 'a bad base of a stage that nobody needs',
    dockerfile: 'FROM no.such.host/x AS broken\nFROM BASE\nRUN true',
  },
  {
    name: 'a later stage of the same name counts',
    dockerfile:
      'FROM BASE AS a\nRUN echo 1 >/x\nFROM BASE AS a\nRUN echo 2 >/x\nFROM BASE\nCOPY --from=a /x /x\nRUN test "$(cat /x)" = 2',
  },
  {
    name: 'a diamond of stages',
    dockerfile:
      'FROM BASE AS top\nRUN echo 1 >/t\nFROM top AS l\nRUN echo 1 >/l\nFROM top AS r\nRUN echo 1 >/r\nFROM BASE\nCOPY --from=l /l /\nCOPY --from=r /r /\nRUN test -f /l && test -f /r',
  },
  {
    name: 'triggers run on the next stage',
    dockerfile:
      'FROM BASE AS a\nONBUILD RUN echo 1 >/trigger\nONBUILD ENV T=1\nFROM a\nRUN test -f /trigger && test $T = 1',
    config: { OnBuild: null },
  },
  {
    name: 'triggers copy from the context',
    dockerfile: 'FROM BASE AS a\nONBUILD COPY f /f\nFROM a\nRUN test "$(cat /f)" = F',
    files: { f: 'F' },
  },
  {
    name: 'a target that is not there',
    dockerfile: 'FROM BASE AS build\nRUN true',
    flags: ['--target', 'biuld'],
    fails: /target stage "biuld" could not be found \(did you mean build\?\)/,
  },
  {
    name: 'a stage that waits for itself',
    dockerfile: 'FROM BASE AS a\nCOPY --from=a /x /x',
    fails: /circular dependency detected on stage: a/,
  },
  {
    name: 'stages that wait for each other',
    dockerfile: 'FROM BASE AS a\nCOPY --from=b /x /x\nFROM BASE AS b\nCOPY --from=a /x /x',
    fails: /circular dependency detected on stage/,
  },
  {
    name: 'a stage by a number that is not there',
    dockerfile: 'FROM BASE\nCOPY --from=7 /x /x',
    fails: /invalid stage index 7/,
  },
  {
    name: 'an unusual name of a Dockerfile',
    dockerfile: 'FROM BASE\nCMD ["other"]',
    files: {},
    config: { Cmd: ['other'] },
  },
];
