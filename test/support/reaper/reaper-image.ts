/** The image of the reaper: the Node of this machine with the libraries that it is linked to, and one script. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { transform } from 'esbuild';
import { type ImageRecipe, imageArchive } from '../../../scripts/image/image-archive.ts';
import { type LayerEntry, tarOf } from '../../../scripts/image/tar-of.ts';
import { runCommand } from '../run-command.ts';

const NODE = '/usr/bin/node';
const SCRIPT = '/reaper.mjs';

/** An archive for `docker load` of the image called `reference`. */
export async function reaperArchive(reference: string): Promise<Buffer> {
  const source = await readFile(join(import.meta.dirname, 'reaper.ts'), 'utf8');
  const { code } = await transform(source, { loader: 'ts', format: 'esm', target: 'node20' });
  const files: Readonly<Record<string, Buffer>> = {
    [NODE]: await readFile(process.execPath),
    [SCRIPT]: Buffer.from(code),
    ...(await librariesOf(process.execPath)),
  };
  const recipe: ImageRecipe = {
    reference,
    created: '2025-01-01T00:00:00.000Z',
    config: {
      Entrypoint: [NODE, SCRIPT],
      Env: ['PATH=/usr/bin'],
      // By this label, which containers have from their image, reapers are told from what they reap.
      Labels: { 'org.testcontainers.ryuk': 'true' },
    },
    layers: [{ tar: await tarOf(entriesOf(files), 0), createdBy: 'the node of this machine' }],
  };
  return imageArchive(recipe);
}

/** Content by the path that the loader looks for. A statically linked program has none. */
async function librariesOf(program: string): Promise<Readonly<Record<string, Buffer>>> {
  const { code, stdout, stderr } = await runCommand(['ldd', program]);
  assert.equal(code, 0, stderr);
  const paths = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
  assert.ok(paths.length > 0, `ldd ${program} named no library: ${stdout}`);
  const contents = paths.map(async (path) => [path, await readFile(path)] as const);
  return Object.fromEntries(await Promise.all(contents));
}

function entriesOf(files: Readonly<Record<string, Buffer>>): readonly LayerEntry[] {
  const folders = new Set(Object.keys(files).flatMap((path) => parentsOf(path)));
  return [
    ...[...folders, '/tmp', '/var/run'].map((path) => ({
      kind: 'directory' as const,
      path: path.slice(1),
      mode: 0o755,
    })),
    ...Object.entries(files).map(([path, content]) => ({
      kind: 'file' as const,
      path: path.slice(1),
      mode: 0o755,
      content,
    })),
  ];
}

function parentsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...parentsOf(parent), parent];
}
