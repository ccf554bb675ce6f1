import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkLayers } from './check-layers.ts';
import { importsOf } from './layers/import-scan.ts';

function problemsOf(sources: Readonly<Record<string, string>>): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), 'layers-'));
  try {
    for (const [path, text] of Object.entries(sources)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkLayers(root).problems;
  } finally {
    rmSync(root, { recursive: true });
  }
}

const FORBIDDEN: readonly (readonly [what: string, path: string, text: string])[] = [
  ['the engine using a driver', 'engine/a.ts', `import { x } from '../runtime/crun/run.ts';`],
  [
    'the engine running a port file',
    'engine/a.ts',
    `import { x } from '../storage/snapshotter.ts';`,
  ],
  ['a driver reaching upward', 'storage/a.ts', `import type { X } from '../engine/x.ts';`],
  ['host and engine meeting', 'host/a.ts', `import type { X } from '../engine/x.ts';`],
  ['a leaf importing a driver', 'wire/a.ts', `import { x } from '../sys/x.ts';`],
  ['a lazy import across layers', 'api/a.ts', `const x = await import('../sys/x.ts');`],
  ['a re-export across layers', 'client/a.ts', `export { x } from '../api/x.ts';`],
  ['processes outside of sys/exec', 'host/a.ts', `import { spawn } from 'node:child_process';`],
  ['koffi outside of sys', 'storage/a.ts', `import koffi from 'koffi';`],
  ['hono outside of the api', 'engine/a.ts', `import { Hono } from 'hono';`],
  ['files touched by the engine', 'engine/a.ts', `import { readFile } from 'node:fs/promises';`],
  ['lowdb outside of state', 'storage/a.ts', `import { Low } from 'lowdb';`],
  ['a folder that is no layer', 'helpers/a.ts', `import { x } from '../sys/x.ts';`],
];

for (const [what, path, text] of FORBIDDEN) {
  test(`${what} is reported`, () => assert.equal(problemsOf({ [path]: text }).length, 1));
}

test('permitted imports pass, and so does anything in a test or in bin', () => {
  const sources = {
    'engine/a.ts': `import type { S } from '../storage/snapshotter.ts';\nimport { e } from '../shared/errors.ts';`,
    'engine/a.test.ts': `import { x } from '../storage/overlay/x.ts';`,
    'bin/engine.ts': `import { x } from '../storage/overlay/x.ts';`,
    'sys/exec/run.ts': `import { spawn } from 'node:child_process';`,
    'slirp4netns/a.ts': `import { run } from '../sys/exec/run.ts';`,
  };
  assert.deepEqual(problemsOf(sources), []);
});

test('no sources at all is a problem', () => {
  assert.equal(problemsOf({}).length, 1);
});

test('imports are found over several lines and not in comments', () => {
  const source = `
    // import { a } from './comment.ts';
    /* import { b } from './block.ts'; */
    import type {
      C,
      D,
    } from './types.ts';
    import { type E } from './runs.ts';
    import './effect.ts';
    export * from './all.ts';
  `;
  assert.deepEqual(importsOf(source), [
    { specifier: './types.ts', typeOnly: true },
    { specifier: './runs.ts', typeOnly: false },
    { specifier: './effect.ts', typeOnly: false },
    { specifier: './all.ts', typeOnly: false },
  ]);
});
