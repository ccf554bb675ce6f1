/** Finds the imports of TypeScript sources by their text. Good enough for our own style: static specifiers only. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** One import: from a file to a file of ours or to a package. Paths are relative to the scanned folder. */
export interface ImportEdge {
  readonly from: string;
  /** `storage/snapshotter.ts`, or the specifier of a package (`node:fs/promises`, `hono`). */
  readonly to: string;
  readonly isPackage: boolean;
  /** True when nothing is left of the import at run time. */
  readonly typeOnly: boolean;
}

/** A folder's sources and what they import. */
export interface ImportScan {
  readonly files: readonly string[];
  readonly edges: readonly ImportEdge[];
}

const STATEMENT =
  /^\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\s*\bfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm;

/** Scans every `.ts` file under `root`. */
export function scanImports(root: string): ImportScan {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .toSorted();
  const edges = files.flatMap((file) =>
    importsOf(readFileSync(join(root, file), 'utf8')).map(({ specifier, typeOnly }) =>
      toEdge({ root, file, specifier, typeOnly }),
    ),
  );
  return { files, edges };
}

/**
 * The specifiers that a source text imports or re-exports from, statically or by `import()`. Only `import type`
 * vanishes at run time: `import { type A }` still runs the module (`verbatimModuleSyntax`).
 */
export function importsOf(source: string): readonly { specifier: string; typeOnly: boolean }[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  return [...code.matchAll(STATEMENT)].map(([, type, statically, dynamically]) => ({
    specifier: statically ?? dynamically ?? '',
    typeOnly: type !== undefined,
  }));
}

function toEdge(found: {
  root: string;
  file: string;
  specifier: string;
  typeOnly: boolean;
}): ImportEdge {
  const { root, file, specifier, typeOnly } = found;
  const isPackage = !specifier.startsWith('.');
  const to = isPackage ? specifier : relative(root, join(root, dirname(file), specifier));
  return { from: file, to: isPackage ? to : normalize(to), isPackage, typeOnly };
}
