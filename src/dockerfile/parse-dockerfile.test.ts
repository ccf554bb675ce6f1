import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findEngineError } from '../shared/errors.ts';
import { markedExcerpt, placeOfError } from './dockerfile-errors.ts';
import type { StageInstruction } from './instruction.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

/** The instructions of the last stage. */
function parsed(text: string): readonly StageInstruction[] {
  const instructions = parseDockerfile(`FROM base\n${text}`).stages.at(-1)?.instructions ?? [];
  return instructions.map(({ range: _, text: _text, ...instruction }) => instruction);
}

test('stages have their names in lower case and the arguments before them stand apart', () => {
  const file = parseDockerfile(
    'ARG A=1\nFROM --platform=linux/arm64 x:$A AS Build\nRUN true\nfrom y',
  );
  assert.deepEqual(
    file.stages.map(({ name, from }) => [name, from.image, from.platform]),
    [
      ['build', 'x:$A', 'linux/arm64'],
      [undefined, 'y', undefined],
    ],
  );
  assert.deepEqual(file.globalArgs[0]?.args, [{ name: 'A', value: '1' }]);
});

test('continued lines are joined without the comments and empty lines between them', () => {
  const [run] = parsed('RUN a \\\n  # no\n\n  b \\\n  && c');
  assert.deepEqual(run?.kind === 'RUN' && run.command, { form: 'shell', line: 'a   b   && c' });
});

test('the escape directive changes what continues a line', () => {
  const file = parseDockerfile('# escape=`\nFROM x\nRUN a `\n b\nCOPY c:\\\\ d:\\');
  assert.equal(file.stages[0]?.instructions.length, 2);
});

test('heredocs end at their name, with tabs stripped where asked for', () => {
  const [run, copy] = parsed('RUN <<-EOF\n\techo 1\n\tEOF\nCOPY <<"A" <<B /dest/\n$x\nA\ny\nB');
  assert.deepEqual(run?.kind === 'RUN' && run.heredocs[0], {
    ...{ name: 'EOF', mark: '<<-EOF', expand: true, stripsTabs: true },
    content: 'echo 1\n',
  });
  assert.deepEqual(
    copy?.kind === 'COPY' && copy.heredocs.map(({ content, expand }) => [content, expand]),
    [
      ['$x\n', false],
      ['y\n', true],
    ],
  );
});

test('a JSON list is a command of its own, anything else a line for the shell', () => {
  assert.deepEqual(
    parsed('CMD ["a", "b c"]\nENTRYPOINT [a]\nCMD').map((one) => 'command' in one && one.command),
    [
      { form: 'exec', args: ['a', 'b c'] },
      { form: 'shell', line: '[a]' },
      { form: 'shell', line: '' },
    ],
  );
});

test('mistakes are told with the line, the text and what may have been meant', () => {
  const cases: readonly (readonly [string, number, RegExp])[] = [
    ['FROM x\nRUM a', 2, /on line 2: unknown instruction: RUM \(did you mean RUN\?\)/],
    ['RUN a', 1, /no build stage in current context/],
    ['FROM', 1, /FROM requires either one or three arguments/],
    ['FROM a b', 1, /FROM requires either one or three arguments/],
    ['FROM a AS 1x', 1, /invalid name for build stage: "1x"/],
    ['FROM x\nCOPY a', 2, /COPY requires at least two arguments, but only one was provided/],
    ['FROM x\nCOPY --form=a b c', 2, /unknown flag: --form \(did you mean from\?\)/],
    ['FROM x\nRUN', 2, /RUN requires at least one argument/],
    ['FROM x\nENV a', 2, /ENV must have two arguments/],
    ['FROM x\nLABEL a=b c', 2, /Syntax error - can't find = in "c"/],
    ['FROM x\nRUN <<EOF\na', 2, /unterminated heredoc/],
    ['FROM x\nSHELL bash', 2, /SHELL requires the arguments to be in JSON form/],
    ['FROM x\n\nONBUILD ONBUILD RUN a', 3, /Chaining ONBUILD/],
    ['FROM x\nSTOPSIGNAL NO', 2, /invalid signal: NO/],
    ['FROM x\nHEALTHCHECK SOMETIMES', 2, /unknown type "SOMETIMES" in HEALTHCHECK/],
    ['# escape=x\nFROM x', 1, /invalid ESCAPE 'x'/],
    ['# nothing', 1, /file with no instructions/],
  ];
  for (const [text, line, message] of cases) {
    assert.throws(
      () => parseDockerfile(text),
      (error) => {
        assert.equal(placeOfError(error)?.startLine, line, text);
        assert.match(findEngineError(error)?.message ?? '', message);
        return true;
      },
    );
  }
});

test('an excerpt marks the lines of the mistake', () => {
  const source = { name: 'Dockerfile', text: 'FROM a\nRUN b\nRUM c \\\n d\nRUN e' };
  assert.equal(
    markedExcerpt(source, { startLine: 3, endLine: 4 }),
    [
      'Dockerfile:3',
      '--------------------',
      '   1 |     FROM a',
      '   2 |     RUN b',
      '   3 | >>> RUM c \\',
      '   4 | >>>  d',
      '   5 |     RUN e',
      '--------------------',
      '',
    ].join('\n'),
  );
});
