/** Fetches the pinned packages and unpacks what an image may need of them. */
import { type Download, fetchPinned } from './fetch-pinned.ts';
import { type Placement, unpackDebian, unpackNpm } from './package/unpack-package.ts';
import { npmName, npmPath } from './recipe/npm-name.ts';
import type { Pins, Recipe } from './recipe/recipe.ts';
import { ImageTree } from './tree/image-tree.ts';
import { notInPackages } from './vm-image-errors.ts';

const MB = 1 << 20;
/** More than any package of npm that a recipe names. */
const MOST_NPM_BYTES = 512 * MB;
/** Documentation, translations and units that no guest of ours reads. */
const UNUSED = /^(usr\/share|usr\/include|usr\/lib\/systemd|etc)\//;

export interface PackageSources {
  readonly recipe: Recipe;
  readonly pins: Pins;
  /** URL of the registry that packages of npm come from. */
  readonly npmRegistry: string;
  readonly cacheDir: string;
  readonly download: Download;
  /** Told what is being done, for people. */
  readonly onStep: (text: string) => void;
}

/** The files of all Debian packages, as they would be installed. */
export async function gatherDebian(sources: PackageSources): Promise<ImageTree> {
  const { pins, cacheDir, download, onStep } = sources;
  const tree = new ImageTree();
  const place: Placement = (path) => (UNUSED.test(path) ? undefined : path);
  for (const { name, version, path, size, sha256 } of pins.packages) {
    onStep(`${name} ${version}`);
    const url = `${pins.archive}/${path}`;
    const file = { url, maxBytes: size, digest: `sha256-${sha256}` };
    await unpackDebian(await fetchPinned(file, cacheDir, download), tree, { name, place });
  }
  return tree;
}

/** The wanted files of the packages of npm, at their places in the guest. */
export async function gatherNpm(sources: PackageSources): Promise<ImageTree> {
  const { recipe, pins, npmRegistry, cacheDir, download, onStep } = sources;
  const tree = new ImageTree();
  for (const wanted of recipe.npm) {
    const name = npmName(wanted.name, pins.architecture);
    const pin = pins.npm.find((each) => each.name === name && each.version === wanted.version);
    if (pin === undefined) throw notInPackages(`${name} ${wanted.version}`, 'the recipe');
    onStep(`${name} ${pin.version}`);
    const url = `${npmRegistry}/${npmPath(name, pin.version)}`;
    const file = { url, maxBytes: MOST_NPM_BYTES, digest: pin.integrity };
    const archive = await fetchPinned(file, cacheDir, download);
    const place = placementOf(npmName(wanted.into, pins.architecture), wanted.files);
    await unpackNpm(archive, tree, { name, place });
  }
  return tree;
}

/** Packages of npm have everything in one directory, whatever its name. */
function placementOf(into: string, files: readonly string[]): Placement {
  return (path) => {
    const inside = path.slice(path.indexOf('/') + 1);
    const isWanted = files.some((file) => inside === file || inside.startsWith(`${file}/`));
    return isWanted ? `${into}/${inside}` : undefined;
  };
}
