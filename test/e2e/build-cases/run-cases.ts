/** Runs the tables through one door. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { BUSYBOX } from '../../support/images.ts';
import { BUILD_CASES } from './all-cases.ts';
import type { BuildCase } from './build-case.ts';

/** What came of a build. */
export interface BuildOutcome {
  readonly code: number | null;
  /** Everything that was printed. */
  readonly output: string;
  /** The image; empty when there is none. */
  readonly imageId: string;
}

export interface Door {
  readonly name: string;
  build(contextDir: string, flags: readonly string[]): Promise<BuildOutcome>;
  /** The config of an image. */
  config(imageId: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Makes a test of each row. */
export function testBuildCases(door: Door): void {
  for (const [theme, cases] of Object.entries(BUILD_CASES)) {
    describe(`${theme} by ${door.name}`, { concurrency: 4 }, () => {
      for (const one of cases) {
        const reason = one.notIn?.[door.name];
        it(one.name, reason === undefined ? {} : { skip: reason }, () => runCase(door, one));
      }
    });
  }
}

async function runCase(door: Door, one: BuildCase): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'build-case-'));
  try {
    writeContext(dir, one);
    const { code, output, imageId } = await door.build(dir, one.flags ?? []);
    if (one.fails !== undefined) {
      assert.notEqual(code, 0, `it was built:\n${output}`);
      assert.match(output, one.fails);
      return;
    }
    assert.equal(code, 0, output);
    if (one.config === undefined) return;
    const config = await door.config(imageId);
    for (const [field, value] of Object.entries(one.config)) {
      assert.deepEqual(config[field] ?? null, value, field);
    }
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function writeContext(dir: string, { dockerfile, files = {}, links = {} }: BuildCase): void {
  const text = dockerfile.replaceAll(/\bBASE\b/g, BUSYBOX);
  for (const [name, content] of Object.entries({ ...files, Dockerfile: text })) {
    const path = join(dir, name.replace(/\*$/, ''));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    chmodSync(path, name.endsWith('*') ? 0o755 : 0o644);
  }
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(dir, name));
}
