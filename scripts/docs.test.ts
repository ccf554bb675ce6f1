import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const ROOT = dirname(import.meta.dirname);
const PAGES = ['.', 'docs', 'docs/adr', 'vm'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

/** Paths that a page names: link targets, relative to the page, and files of ours in code marks. */
function namedPaths(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target = '']) =>
    join(dirname(page), target),
  );
  const files = [...text.matchAll(/`((?:src|scripts|test|docs|vm)\/[\w./-]+)`/g)];
  return [...links, ...files.map(([, path = '']) => path)];
}

test('there are pages to check', () => assert.ok(PAGES.includes('README.md')));

for (const page of PAGES) {
  test(`every file that ${page} names exists`, () => {
    const missing = namedPaths(page).filter((path) => !existsSync(join(ROOT, path)));
    assert.deepEqual(missing, []);
  });
}
