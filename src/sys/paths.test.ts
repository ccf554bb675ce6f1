import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CONTAINER_NAMES,
  CONTENT_NAMES,
  DATA_NAMES,
  RUNTIME_NAMES,
  SANDBOX_NAMES,
  TASK_NAMES,
  VOLUME_NAMES,
} from './filenames.ts';
import { dataPaths, runtimePaths } from './paths.ts';

const NAMES = [
  DATA_NAMES,
  CONTENT_NAMES,
  CONTAINER_NAMES,
  VOLUME_NAMES,
  RUNTIME_NAMES,
  TASK_NAMES,
  SANDBOX_NAMES,
].flatMap((names) => Object.values<string>(names));

function documentedPaths(): readonly string[] {
  const page = readFileSync(join(import.meta.dirname, '../../docs/state-layout.md'), 'utf8');
  return [...page.matchAll(/^\| `([^`]+)` \|/gm)].map(([, path]) => path ?? '');
}

describe('the state layout', () => {
  it('is documented name by name', () => {
    const documented = documentedPaths();
    assert.ok(documented.length > 20);
    const missing = NAMES.filter(
      (name) => !documented.some((path) => `/${path}/`.includes(`/${name}/`)),
    );
    assert.deepEqual(missing, []);
  });

  it('documents no name that is not used', () => {
    const used = new Set(NAMES.flatMap((name) => name.split('/')));
    const pieces = documentedPaths().flatMap((path) => path.split('/'));
    const unknown = pieces.filter((piece) => !piece.includes('<') && !used.has(piece));
    assert.deepEqual(unknown, []);
  });

  it('puts a container in both directories under its id', () => {
    assert.equal(dataPaths('/d').container('abc').log, '/d/containers/abc/container.log');
    assert.equal(runtimePaths('/r').container('abc').task, '/r/containers/abc/task.json');
    assert.equal(runtimePaths('/r').sandbox('abc').netns, '/r/sandboxes/abc/netns');
    assert.equal(dataPaths('/d').volume('v').dataDir, '/d/volumes/v/_data');
  });

  it('refuses a runtime directory in which sockets could not be opened, and says what to do', () => {
    assert.throws(() => runtimePaths(`/${'long/'.repeat(22)}`), {
      kind: 'invalid-argument',
      message: /--exec-root/,
    });
  });
});
