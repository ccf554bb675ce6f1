/** Output of an image's files into a directory of the client. */
import { formatPlatform } from '../../../oci/platform.ts';
import type { BuiltImage } from '../../solver.ts';
import type { Export, ExportAnswer, ExportDeps } from './export-deps.ts';
import { nothingToExport } from './export-errors.ts';
import { isOn } from './export-image.ts';
import { withMounted } from './mount-result.ts';
import { type SentTree, sendTrees } from './send-tree.ts';

/** The files of one platform go to the directory itself, those of several each to a directory of their own. */
export function exportFiles(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  return output.progress.step('exporting to client directory', async (step) => {
    const images = output.refs.flatMap(({ result, index }) => result.images[index] ?? []);
    if (images.length === 0) throw nothingToExport();
    const isSplit = output.attributes.has('platform-split')
      ? isOn(output, 'platform-split')
      : images.length > 1;
    const session = await output.session();
    const sorted = images.toSorted((one, other) =>
      prefixOf(one, isSplit) < prefixOf(other, isSplit) ? -1 : 1,
    );
    await withAllMounted(deps, { images: sorted, isSplit }, (trees) =>
      sendTrees(session, output, {
        trees,
        onProgress: (bytes) => step.status('copying files', bytes),
      }),
    );
    return new Map();
  });
}

const prefixOf = ({ platform }: BuiltImage, isSplit: boolean) =>
  isSplit ? formatPlatform(platform).replaceAll('/', '_') : '';

function withAllMounted(
  deps: ExportDeps,
  { images, isSplit }: { readonly images: readonly BuiltImage[]; readonly isSplit: boolean },
  use: (trees: readonly SentTree[]) => Promise<void>,
): Promise<void> {
  const mountFrom = async (index: number, trees: readonly SentTree[]): Promise<void> => {
    const image = images[index];
    if (image === undefined) return await use(trees);
    await withMounted(deps, image, (dir) =>
      mountFrom(index + 1, [...trees, { dir, prefix: prefixOf(image, isSplit) }]),
    );
  };
  return mountFrom(0, []);
}
