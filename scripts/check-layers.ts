/** Checks the import rules of `scripts/layers/rules.ts` against `src/`: `tsx scripts/check-layers.ts [FOLDER]`. */
import { join } from 'node:path';
import { scanImports } from './layers/import-scan.ts';
import { violationOf } from './layers/rules.ts';

/** The outcome of a check; `problems` is empty when all is well. */
export interface LayerReport {
  readonly files: number;
  readonly problems: readonly string[];
}

/** Checks every source under `root`. No source at all is a problem: a check that checked nothing has failed. */
export function checkLayers(root: string): LayerReport {
  const { files, edges } = scanImports(root);
  const broken = edges.map(violationOf).filter((problem) => problem !== undefined);
  const problems = files.length === 0 ? [`no source files under ${root}`] : broken;
  return { files: files.length, problems };
}

if (process.argv[1] === import.meta.filename) {
  const { files, problems } = checkLayers(
    process.argv[2] ?? join(import.meta.dirname, '..', 'src'),
  );
  for (const problem of problems) console.error(problem);
  console.error(`${files} files, ${problems.length} broken import rules`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
