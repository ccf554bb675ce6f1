/** The recipe of the guest's image and the packages that are pinned for it: files in `vm/`, decoded. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { fromNodeError } from '../../sys/system-errors.ts';
import { badRecipe } from '../vm-image-errors.ts';

/** In Debian's words. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

const texts = v.array(v.string());

const recipeSchema = v.strictObject({
  v: v.literal(1),
  /** Debian suite and packages that the pins are made from. */
  suite: v.string(),
  packages: texts,
  npm: v.array(
    v.strictObject({
      /** `%` stands for the architecture in the words of npm, here and in `into`. */
      name: v.string(),
      version: v.string(),
      /** Where its files go, and which of them: paths in the package, directories with all below. */
      into: v.string(),
      files: texts,
    }),
  ),
  /** Paths of programs, and names of libraries that are loaded at run time only. */
  programs: texts,
  libraries: texts,
  /** Programs that lose their symbols. */
  stripped: texts,
  /** Modules for finding the root, in the order of loading, and those for later. */
  initialModules: texts,
  modules: texts,
  directories: texts,
  /** Symbolic links by path. */
  links: v.record(v.string(), v.string()),
});

const pinsSchema = v.strictObject({
  v: v.literal(1),
  architecture: v.picklist(ARCHITECTURES),
  /** A copy of the Debian archive that keeps what it once had. */
  archive: v.string(),
  packages: v.array(
    v.strictObject({
      name: v.string(),
      version: v.string(),
      /** Below the archive. */
      path: v.string(),
      size: v.number(),
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    }),
  ),
  npm: v.array(
    v.strictObject({
      name: v.string(),
      version: v.string(),
      /** As in a lock file of npm. */
      integrity: v.pipe(v.string(), v.startsWith('sha512-')),
    }),
  ),
});

export type Recipe = v.InferOutput<typeof recipeSchema>;
export type Pins = v.InferOutput<typeof pinsSchema>;

/** Reads `recipe.json` of a recipe's directory; `invalid-argument` when it is not understood. */
export function readRecipe(dir: string): Promise<Recipe> {
  return readDocument(join(dir, 'recipe.json'), recipeSchema);
}

/** Reads the pins of one architecture. */
export function readPins(dir: string, architecture: Architecture): Promise<Pins> {
  return readDocument(join(dir, `pins-${architecture}.json`), pinsSchema);
}

async function readDocument<T>(
  path: string,
  schema: v.BaseSchema<unknown, T, v.BaseIssue<unknown>>,
): Promise<T> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fromNodeError(error, `read ${path}`);
  });
  const result = v.safeParse(schema, jsonOf(text, path));
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw badRecipe(path, `${v.getDotPath(issue) ?? 'the document'}: ${issue.message}`);
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRecipe(path, 'not JSON', error);
  }
}
