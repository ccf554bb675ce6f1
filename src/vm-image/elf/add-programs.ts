/** Programs with everything that they are loaded with. */
import type { ImageTree } from '../tree/image-tree.ts';
import { notInPackages } from '../vm-image-errors.ts';
import { elfNeeds, isElf } from './elf-file.ts';

/** Where Debian's loader looks, for either architecture. */
const LIBRARY_DIRS: Readonly<Record<string, readonly string[]>> = {
  amd64: ['usr/lib/x86_64-linux-gnu', 'usr/lib'],
  arm64: ['usr/lib/aarch64-linux-gnu', 'usr/lib'],
};

export interface ProgramSelection {
  readonly architecture: string;
  /** Paths of programs. */
  readonly programs: readonly string[];
  /** Names of libraries that are loaded at run time only. */
  readonly libraries: readonly string[];
}

/**
 * Copies programs and libraries with those that they need from `source` to `target`, with the links that lead to them.
 * `invalid-argument` when something is in no package.
 */
export function addPrograms(
  source: ImageTree,
  target: ImageTree,
  { architecture, programs, libraries }: ProgramSelection,
): void {
  const dirs = LIBRARY_DIRS[architecture] ?? [];
  const done = new Set<string>();
  const place = (library: string) =>
    dirs.map((dir) => `${dir}/${library}`).find((path) => source.trail(path).length > 0);
  const addLibrary = (library: string, wantedBy: string) => {
    const path = place(library);
    if (path === undefined) throw notInPackages(library, wantedBy);
    addFile(path, wantedBy);
  };
  const addFile = (path: string, wantedBy: string) => {
    if (done.has(path)) return;
    done.add(path);
    const trail = source.trail(path);
    const content = source.contentOf(path);
    if (content === undefined) throw notInPackages(path, wantedBy);
    for (const passed of trail) {
      const entry = source.at(passed);
      if (entry !== undefined) target.add(passed, entry);
    }
    if (!isElf(content)) return;
    const needs = elfNeeds(content, path);
    if (needs.interpreter !== undefined) addFile(needs.interpreter, path);
    for (const library of needs.libraries) addLibrary(library, path);
  };
  for (const program of programs) addFile(program, 'the recipe');
  for (const library of libraries) addLibrary(library, 'the recipe');
}
