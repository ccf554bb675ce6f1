import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failOnWarnings, lintDockerfile } from './lint.ts';
import { parseDockerfile } from './parse-dockerfile.ts';

/** Rules and lines. */
const found = (text: string) => lint(text).map(({ rule, range }) => `${rule}:${range.startLine}`);

/** `.dockerignore` names `*.md`. */
function lint(text: string, check?: string) {
  const isIgnored = (path: string) => path.endsWith('.md');
  return lintDockerfile(parseDockerfile(text), { check, isIgnored });
}

test('each rule finds what it is about, and nothing in a good Dockerfile', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['ARG V=1\nFROM x:$V AS build\nARG A=1\nENV B=$A\nRUN a\nWORKDIR /w\nCMD ["a"]', []],
    ['FROM x AS Build', ['StageNameCasing:1']],
    ['FROM x as build', ['FromAsCasing:1']],
    ['FROM x\nRUN a \\\n\n b', ['NoEmptyContinuation:2']],
    ['FROM x\nRUN a\nrun b', ['ConsistentInstructionCasing:3']],
    ['FROM x AS a\nFROM y AS a', ['DuplicateStageName:2']],
    ['FROM x AS Scratch', ['StageNameCasing:1', 'ReservedStageName:1']],
    ['FROM x\nWORKDIR a', ['WorkdirRelativePath:2']],
    ['FROM x\nMAINTAINER me', ['MaintainerDeprecated:2']],
    ['FROM x\nCMD a', ['JSONArgsRecommended:2']],
    ['FROM x\nSHELL ["sh"]\nCMD a', []],
    ['FROM x\nCMD ["a"]\nCMD ["b"]', ['MultipleInstructionsDisallowed:2']],
    ['FROM x\nENV a b', ['LegacyKeyValueFormat:2']],
    ['FROM --platform=linux/amd64 x', ['FromPlatformFlagConstDisallowed:1']],
    ['FROM --platform=$TARGETPLATFORM x', ['RedundantTargetPlatform:1']],
    ['FROM x\nARG DB_PASSWORD\nENV PUBLIC_KEY=a', ['SecretsUsedInArgOrEnv:2']],
    ['FROM x:$NONE', ['UndefinedArgInFrom:1']],
    ['ARG T\nFROM x$T', ['InvalidDefaultArgInFrom:2']],
    ['FROM x\nARG A\nCOPY $A $B /d/', ['UndefinedVar:3']],
    ['FROM x AS a\nENV V=1\nFROM a\nWORKDIR /$V', []],
    [
      'FROM x\nCOPY a ./b.md /d/\nADD https://x/y.md $A.md /\nCOPY --from=y c.md /',
      ['CopyIgnoredFile:2', 'UndefinedVar:3'],
    ],
    ['# nothing of b\nFROM x AS b', []],
    ['FROM x\nEXPOSE 80/TCP', ['ExposeProtoCasing:2']],
    [`FROM x\nEXPOSE \${P:-80}\nEXPOSE 127.0.0.1:80:81`, ['ExposeInvalidFormat:3']],
  ];
  for (const [text, expected] of cases) assert.deepEqual(found(text), expected, text);
});

test('the directive check leaves rules out, or makes errors of them', () => {
  assert.deepEqual(found('# check=skip=JSONArgsRecommended\nFROM x\nCMD a'), []);
  assert.deepEqual(found('# check=skip=all\nfrom x AS B\nCMD a'), []);
  const strict = parseDockerfile('# check=error=true\nFROM x\nCMD a');
  assert.throws(
    () => failOnWarnings(strict, lint('FROM x\nCMD a'), { check: undefined }),
    /lint violation found for rules: JSONArgsRecommended/,
  );
});

test('what the client says of checks stands in for the directive', () => {
  const text = '# check=error=true\nFROM x\nCMD a';
  assert.deepEqual(lint(text, 'skip=JSONArgsRecommended'), []);
  failOnWarnings(parseDockerfile(text), lint(text), { check: 'error=false' });
});

test('an experimental rule counts when it is asked for', () => {
  const text = '# of b\nFROM x AS b\n# A is it\nARG A\n\n# other\n\nARG B\n# wrong\nARG C D';
  const ask = '# check=experimental=all\n';
  const all = lint(text, 'experimental=InvalidDefinitionDescription');
  assert.deepEqual(
    all.map(({ detail }) => detail),
    [
      'Comment for FROM should follow the format: `# b <description>`',
      'Comment for ARG should follow the format: `# <arg_key> <description>`',
    ],
  );
  assert.equal(found(`${ask}${text}`).length, 2);
});

test('a warning names its rule, its page, and what is wrong', () => {
  const [warning] = lint('FROM x\nCMD a');
  assert.equal(warning?.url, 'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/');
  assert.match(warning?.detail ?? '', /^JSON arguments recommended for CMD/);
});
