/** The tiers of the test suite: where their files are, what they need, and how one file is run. */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { REFLINK_MARK } from './reflink-disk.ts';

/** What a test needs decides its tier; see docs/architecture.md. */
export type Tier = 'unit' | 'contract' | 'integration' | 'e2e';

/** Test files that one node process runs together. */
export interface TestJob {
  readonly tier: Tier;
  readonly files: readonly string[];
  /** Command in front of `node`: enters the namespaces that the tier runs in. */
  readonly prefix: readonly string[];
  /** True for tests that want a disk on which files can share blocks. */
  readonly wantsReflinks: boolean;
  readonly timeoutMs: number;
}

const UNSHARE = [
  ...['unshare', '--user', '--map-root-user', '--map-auto'],
  ...['--mount', '--net', '--propagation', 'private', '--'],
];

/** First line of an integration test that is about the host side and makes its namespaces itself. */
const HOST_TIER_MARK = '// tier: host';

const MINUTE_MS = 60_000;

const FOLDERS: Readonly<Record<Tier, readonly string[]>> = {
  unit: ['src', 'scripts', 'test/support'],
  contract: ['test/contract'],
  integration: ['test/integration'],
  e2e: ['test/e2e', 'test/compat'],
};

/** The jobs of a tier under `root`, restricted to files whose path contains one of `patterns` (none: all). */
export function jobsOf(tier: Tier, root: string, patterns: readonly string[]): readonly TestJob[] {
  const files = FOLDERS[tier]
    .flatMap((folder) => testFiles(root, folder))
    .filter((file) => patterns.length === 0 || patterns.some((part) => file.includes(part)))
    .toSorted();
  if (files.length === 0) return [];
  if (tier === 'unit' || tier === 'contract') {
    return [{ tier, files, prefix: [], wantsReflinks: false, timeoutMs: 5 * MINUTE_MS }];
  }
  const timeoutMs = (tier === 'e2e' ? 10 : 4) * MINUTE_MS;
  return files.map((file) => ({
    tier,
    files: [file],
    timeoutMs,
    prefix: prefixOf(tier, root, file),
    wantsReflinks: firstLine(join(root, file)).startsWith(REFLINK_MARK),
  }));
}

function prefixOf(tier: Tier, root: string, file: string): readonly string[] {
  if (tier === 'e2e' || firstLine(join(root, file)).startsWith(HOST_TIER_MARK)) return [];
  return UNSHARE;
}

function testFiles(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1));
}

function firstLine(path: string): string {
  const bytes = Buffer.alloc(200);
  const fd = openSync(path, 'r');
  try {
    const length = readSync(fd, bytes);
    return bytes.toString('utf8', 0, length).split('\n')[0] ?? '';
  } finally {
    closeSync(fd);
  }
}
