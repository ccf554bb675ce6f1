/** Builds the image of the virtual machine from pinned packages: no root, no tools of the system, on any system. */
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeFileDurably } from '../sys/fs/durable.ts';
import { fromNodeError } from '../sys/system-errors.ts';
import { addPrograms } from './elf/add-programs.ts';
import { withoutSymbols } from './elf/elf-file.ts';
import { gatherDebian, gatherNpm, type PackageSources } from './gather-packages.ts';
import {
  encodeImage,
  IMAGE_DOCUMENT,
  type ImageFile,
  type VmImage,
  writeImageFile,
} from './image-document.ts';
import { addModules, KernelModules } from './kernel/kernel-modules.ts';
import { unxz } from './package/unxz.ts';
import { PACKED_ENDING, packer } from './pull-image.ts';
import { addGuestFiles } from './recipe/guest-files.ts';
import { type Architecture, readPins, readRecipe } from './recipe/recipe.ts';
import { replaceDirectory } from './replace-directory.ts';
import { ImageTree } from './tree/image-tree.ts';
import { notInPackages } from './vm-image-errors.ts';
import { writeCpio } from './write/cpio-writer.ts';
import { writeErofs } from './write/erofs-writer.ts';
import { writeTar } from './write/tar-writer.ts';

const LABEL = 'wherry-root';
const BUSYBOX = 'usr/bin/busybox';
/** What the initial root's script loads, a path on each line. */
const LOAD_LIST = 'modules.list';

/** Links to what our own init writes elsewhere. */
const WSL_MAKES = ['etc/passwd', 'etc/group', 'etc/resolv.conf'];

export interface BuildRequest
  extends Pick<PackageSources, 'cacheDir' | 'download' | 'npmRegistry' | 'onStep'> {
  readonly recipeDir: string;
  readonly architecture: Architecture;
  readonly outputDir: string;
  /** Instead of that of the pins. */
  readonly archive?: string | undefined;
  /** Also a tar archive of the root, for WSL. */
  readonly withTar: boolean;
  /** Also the packed form of every file, to be published. */
  readonly withPacked: boolean;
}

/**
 * Writes kernel, initial root, root and `image.json` to the output directory, which is replaced as a whole. The same
 * recipe and pins give the same bytes.
 */
export async function buildImage(request: BuildRequest): Promise<VmImage> {
  const { recipeDir, architecture, archive } = request;
  const recipe = await readRecipe(recipeDir);
  const pinned = await readPins(recipeDir, architecture);
  const pins = { ...pinned, archive: archive ?? pinned.archive };
  const sources = { ...request, recipe, pins };
  const packages = await gatherDebian(sources);
  const modules = new KernelModules(packages, unxz);
  request.onStep('the root file system');
  const root = await makeRoot(sources, packages, modules);
  const initial = await makeInitialRoot(sources, packages, modules);
  const kernel = packages.contentOf(`boot/vmlinuz-${modules.release}`);
  if (kernel === undefined) throw notInPackages('a kernel', 'the recipe');
  return replaceDirectory(request.outputDir, async (dir) => {
    const files: ImageFile[] = [
      await writeImageFile(dir, 'vmlinuz', [kernel]),
      await writeImageFile(dir, 'initrd', [writeCpio(initial)]),
      await writeImageFile(dir, 'root.erofs', writeErofs(root, LABEL)),
    ];
    if (request.withTar) {
      const tree = await makeWslRoot(root, recipeDir);
      files.push(await writeImageFile(dir, 'root.tar', writeTar(tree)));
    }
    if (request.withPacked) for (const file of files) await writePacked(dir, file);
    const image: VmImage = { v: 1, architecture, kernel: modules.release, files };
    await writeFileDurably(join(dir, IMAGE_DOCUMENT), encodeImage(image));
    return image;
  });
}

async function writePacked(dir: string, { name, size }: ImageFile): Promise<void> {
  const path = join(dir, name);
  const target = createWriteStream(path + PACKED_ENDING, { flags: 'wx' });
  await pipeline(createReadStream(path), packer(size), target).catch((error: unknown) => {
    throw fromNodeError(error, `pack ${path}`);
  });
}

type Sources = PackageSources & Pick<BuildRequest, 'recipeDir'>;

async function makeRoot(
  sources: Sources,
  packages: ImageTree,
  modules: KernelModules,
): Promise<ImageTree> {
  const { recipe, pins, recipeDir } = sources;
  const root = new ImageTree();
  for (const path of recipe.directories) root.add(path, { kind: 'directory', mode: 0o755 });
  const ofNpm = await gatherNpm(sources);
  packages.addAll(ofNpm);
  addPrograms(packages, root, {
    architecture: pins.architecture,
    programs: [...recipe.programs, ...filesOf(ofNpm)],
    libraries: recipe.libraries,
  });
  for (const path of recipe.stripped) strip(root, path);
  addModules(root, modules.release, await modules.select(recipe.modules));
  for (const [path, target] of Object.entries(recipe.links)) {
    root.add(path, { kind: 'symlink', target });
  }
  await addGuestFiles(join(recipeDir, 'root'), root);
  return root;
}

/** The same, for WSL: that needs accounts before anything of ours runs, and writes its own list of name servers. */
async function makeWslRoot(root: ImageTree, recipeDir: string): Promise<ImageTree> {
  const tree = new ImageTree();
  for (const [path, entry] of root.sorted()) {
    if (!WSL_MAKES.includes(path)) tree.add(path, entry);
  }
  await addGuestFiles(join(recipeDir, 'wsl'), tree);
  return tree;
}

async function makeInitialRoot(
  { recipe, recipeDir }: Sources,
  packages: ImageTree,
  modules: KernelModules,
): Promise<ImageTree> {
  const initial = new ImageTree();
  const busybox = packages.contentOf(BUSYBOX);
  if (busybox === undefined) throw notInPackages(BUSYBOX, 'the initial root');
  initial.add('busybox', { kind: 'file', mode: 0o755, content: busybox });
  const chosen = await modules.select(recipe.initialModules);
  const paths = chosen.map(({ path }) => `modules/${path.slice(path.lastIndexOf('/') + 1)}`);
  for (const [index, { content }] of chosen.entries()) {
    initial.add(paths[index] ?? '', { kind: 'file', mode: 0o644, content });
  }
  const list = Buffer.from(paths.map((path) => `/${path}\n`).join(''));
  initial.add(LOAD_LIST, { kind: 'file', mode: 0o644, content: list });
  for (const path of ['dev', 'proc', 'new']) initial.add(path, { kind: 'directory', mode: 0o755 });
  await addGuestFiles(join(recipeDir, 'initial'), initial);
  return initial;
}

function filesOf(tree: ImageTree): readonly string[] {
  return tree.sorted().flatMap(([path, { kind }]) => (kind === 'file' ? [path] : []));
}

function strip(root: ImageTree, path: string): void {
  const content = root.contentOf(path);
  if (content === undefined) throw notInPackages(path, 'the recipe');
  root.add(path, { kind: 'file', mode: 0o755, content: withoutSymbols(content, path) });
}
