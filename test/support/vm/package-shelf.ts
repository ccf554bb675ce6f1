/** A handful of tiny packages as a Debian archive and a registry of npm have them, and the recipe that wants them. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Download } from '../../../src/vm-image/fetch-pinned.ts';
import { notServed } from '../../../src/vm-image/vm-image-errors.ts';
import { layerTar, type TarMember } from '../layer-tar.ts';
import { pack } from '../pack.ts';
import { moduleElf } from './elf-of.ts';

const RELEASE = '6.0-test';
const MODULES = `./usr/lib/modules/${RELEASE}`;

const KERNEL: readonly TarMember[] = [
  { name: `./boot/vmlinuz-${RELEASE}`, content: 'the kernel' },
  { name: `${MODULES}/modules.builtin`, content: 'kernel/drivers/virtio/virtio_pci.ko\n' },
  module('fs/erofs', ['depends=crc', 'alias=fs-erofs']),
  module('lib/crc', []),
  module('net/nft_a', ['depends=']),
  module('net/nft_b', ['softdep=pre: nft_a', 'alias=nft-b']),
];
const TOOLS: readonly TarMember[] = [
  { name: './usr/bin/busybox', content: '#!busybox', mode: 0o755 },
  { name: './lib/tools/real', content: 'x' },
  { name: './usr/bin/tool', type: '2', linkName: '/lib/tools/real' },
  { name: './usr/share/doc/tool', content: 'not wanted' },
];
const NODE: readonly TarMember[] = [{ name: 'package/bin/node', content: 'node', mode: 0o755 }];

const RECIPE = {
  v: 1,
  suite: 'test',
  packages: ['linux-image', 'tools'],
  npm: [{ name: '@x/node-%', version: '1.0.0', into: 'usr', files: ['bin/node'] }],
  programs: ['usr/bin/busybox', 'usr/bin/tool'],
  libraries: [],
  stripped: [],
  initialModules: ['virtio_pci', 'erofs'],
  modules: ['nft_*'],
  directories: ['dev'],
  links: { bin: 'usr/bin' },
};

/** Where its packages are said to come from. */
export const SHELF_URL = 'http://archive.test';

export class PackageShelf {
  /** By path; tests replace what they want to go wrong. */
  readonly files = new Map([
    ['/pool/kernel.deb', debian(KERNEL)],
    ['/pool/tools.deb', debian(TOOLS)],
    ['/@x/node-x64/-/node-x64-1.0.0.tgz', gzipSync(layerTar(NODE))],
  ]);
  /** Paths that were asked for, in order. */
  readonly asked: string[] = [];

  readonly download: Download = async (url) => {
    const path = url.slice(SHELF_URL.length);
    this.asked.push(path);
    const file = this.files.get(path);
    if (file === undefined) throw notServed(url, 404);
    return file;
  };

  /** Writes recipe, pins and guest files to `dir`; `changes` replace fields of the recipe. */
  async writeRecipe(dir: string, changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const packages = ['kernel', 'tools'].map((name) => {
      const bytes = this.files.get(`/pool/${name}.deb`) ?? Buffer.alloc(0);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { name, version: '1', path: `pool/${name}.deb`, size: bytes.length, sha256 };
    });
    const archive = this.files.get('/@x/node-x64/-/node-x64-1.0.0.tgz') ?? Buffer.alloc(0);
    const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
    const npm = [{ name: '@x/node-x64', version: '1.0.0', integrity }];
    await writeFiles(dir, {
      'recipe.json': JSON.stringify({ ...RECIPE, ...changes }),
      'pins-amd64.json': JSON.stringify({
        v: 1,
        architecture: 'amd64',
        archive: SHELF_URL,
        packages,
        npm,
      }),
      'root/sbin/init': '#!/bin/sh\n',
      'root/etc/passwd': 'root:x:0:0::/root:/bin/sh\n',
      'initial/init': '#!/busybox sh\n',
      'wsl/sbin/wsl-start': '#!/bin/sh\n',
      'wsl/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    });
  }
}

/** A Debian package with these files. */
function debian(members: readonly TarMember[]): Buffer {
  const parts = {
    'debian-binary': Buffer.from('2.0\n'),
    'data.tar.xz': pack('xz', layerTar(members)),
  };
  const written = Object.entries(parts).map(([name, content]) => {
    const header = `${name.padEnd(16)}${'0'.padEnd(32)}${String(content.length).padEnd(10)}\`\n`;
    const filler = Buffer.alloc(content.length & 1, '\n');
    return Buffer.concat([Buffer.from(header), content, filler]);
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...written]);
}

function module(path: string, info: readonly string[]): TarMember {
  const content = pack('xz', moduleElf(info));
  return { name: `${MODULES}/kernel/${path}.ko.xz`, content };
}

async function writeFiles(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
