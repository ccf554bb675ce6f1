/**
 * The image `wherry/busybox:latest`, made from the distribution's static busybox: something to run with no
 * registry in sight. Built twice from the same busybox it is the same, byte for byte.
 */
import { readFile, stat, writeFile } from 'node:fs/promises';
import { $ } from 'zx';
import { imageArchive } from './image/image-archive.ts';
import { type LayerEntry, tarOf } from './image/tar-of.ts';
import { findTool } from './setup/requirements.ts';

/** What the image is called once loaded. */
export const EMBEDDED_IMAGE = 'wherry/busybox:latest';

const PASSWD = [
  'root:x:0:0:root:/root:/bin/sh',
  'daemon:x:1:1:daemon:/usr/sbin:/bin/false',
  'nobody:x:65534:65534:nobody:/:/bin/false',
];
const GROUP = ['root:x:0:', 'daemon:x:1:', 'users:x:100:', 'nogroup:x:65534:'];

const DIRECTORIES: Readonly<Record<string, number>> = {
  bin: 0o755,
  dev: 0o755,
  etc: 0o755,
  home: 0o755,
  proc: 0o555,
  root: 0o700,
  sbin: 0o755,
  sys: 0o555,
  tmp: 0o1777,
  usr: 0o755,
  'usr/bin': 0o755,
  'usr/sbin': 0o755,
  var: 0o755,
  'var/tmp': 0o1777,
};

/** Writes the image as an archive for `docker load`, OCI and docker forms in one. */
export async function writeEmbeddedImage(path: string): Promise<void> {
  await writeFile(path, await embeddedImage(EMBEDDED_IMAGE));
}

/** The archive's bytes, under the given name. Rejects when there is no static busybox. */
export async function embeddedImage(reference: string): Promise<Buffer> {
  const busybox = findTool('busybox');
  if (busybox === undefined)
    throw new Error('no busybox found: install the package busybox-static');
  const { mtimeMs } = await stat(busybox);
  const listing = await $({ quiet: true })`${busybox} --list-full`;
  const layer = await tarOf(rootFilesystem(await readFile(busybox), listing.stdout), mtimeMs);
  return imageArchive({
    reference,
    layers: [{ tar: layer, createdBy: 'static busybox of the distribution' }],
    created: new Date(mtimeMs).toISOString(),
    config: {
      Cmd: ['sh'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
  });
}

function rootFilesystem(busybox: Buffer, listing: string): readonly LayerEntry[] {
  const applets = listing.split('\n').filter((path) => path !== '' && path !== 'bin/busybox');
  return [
    ...Object.entries(DIRECTORIES).map(([path, mode]) => ({
      path,
      mode,
      kind: 'directory' as const,
    })),
    { path: 'bin/busybox', mode: 0o755, kind: 'file', content: busybox },
    { path: 'etc/passwd', mode: 0o644, kind: 'file', content: lines(PASSWD) },
    { path: 'etc/group', mode: 0o644, kind: 'file', content: lines(GROUP) },
    ...applets
      .toSorted()
      .map((path) => ({ path, kind: 'symlink' as const, target: '/bin/busybox' })),
  ];
}

function lines(text: readonly string[]): Buffer {
  return Buffer.from(`${text.join('\n')}\n`);
}
