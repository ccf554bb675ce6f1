/** Chooses, for a recipe, the versions of packages that an archive offers now. */
import type { Architecture, Pins, Recipe } from '../../src/vm-image/recipe/recipe.ts';
import { type OfferedPackage, readSuite, type Suite } from './debian-archive.ts';

/** What was chosen, and when the archive made its index. */
export interface ResolvedPackages {
  readonly packages: Pins['packages'];
  readonly madeAt: Date;
}

/** The kernel is named by this in recipes: its package has the version in its name, which changes. */
const KERNEL = 'linux-image';

/** The packages of `recipe` in the archive at this URL. Rejects when it lacks one. */
export async function resolvePackages(
  recipe: Recipe,
  architecture: Architecture,
  archive: string,
): Promise<ResolvedPackages> {
  const suite = await readSuite(archive, recipe.suite, architecture);
  const packages = recipe.packages.map((name) => {
    const { depends: _, ...pin } = offered(suite, kernelOr(name, suite, architecture));
    return pin;
  });
  return { packages, madeAt: suite.madeAt };
}

function kernelOr(name: string, suite: Suite, architecture: Architecture): string {
  if (name !== KERNEL) return name;
  const { depends } = offered(suite, `${KERNEL}-${architecture}`);
  return /linux-image-\S+/.exec(depends)?.[0] ?? name;
}

function offered(suite: Suite, name: string): OfferedPackage {
  const found = suite.packages.get(name);
  if (found === undefined) throw new Error(`the archive has no package ${name}`);
  return found;
}
