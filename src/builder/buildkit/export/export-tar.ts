/** Output of an image's files as a tar. */
import type { Export, ExportAnswer, ExportDeps } from './export-deps.ts';
import { onlyImage } from './export-image.ts';
import { withMounted } from './mount-result.ts';
import { sendFile } from './send-file.ts';

export function exportTar(deps: ExportDeps, output: Export): Promise<ExportAnswer> {
  return output.progress.step('exporting to client tarball', async (step) => {
    const image = onlyImage(output);
    const session = await output.session();
    await withMounted(deps, image, async (rootfsDir, ofImage) => {
      const tree = await deps.trees.open(rootfsDir, [], { keptIds: undefined, ofImage });
      try {
        const tar = tree.archive('/', { top: undefined });
        await step.part('sending tarball', () =>
          sendFile(session, { output, details: new Map() }, tar),
        );
      } finally {
        await tree.close();
      }
    });
    return new Map();
  });
}
