/**
 * Bundles the programs of `src/bin` into `dist/` and packs the embedded image beside them. Code that programs
 * share, or load lazily, becomes chunks, so that `wherry --version` reads one small file.
 */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build as bundle } from 'esbuild';
import { $ } from 'zx';
import { writeEmbeddedImage } from './embedded-image.ts';

const ROOT = dirname(import.meta.dirname);
const DIST = join(ROOT, 'dist');
const PROGRAMS = ['cli', 'host', 'engine', 'unpacker', 'guest', 'bridge'];

/** Bundled CommonJS packages call `require` for Node's own modules; ES modules have none. */
const BANNER = [
  '#!/usr/bin/env node',
  `import { createRequire as makeRequire } from 'node:module';`,
  'const require = makeRequire(import.meta.url);',
].join('\n');

/** Builds everything. Rejects when a program does not bundle; then `dist/` is as it was. */
export async function build(): Promise<void> {
  const fresh = `${DIST}.new`;
  await rm(fresh, { recursive: true, force: true });
  await buildInto(fresh);
  await rm(DIST, { recursive: true, force: true });
  await rename(fresh, DIST);
}

async function buildInto(dir: string): Promise<void> {
  const entryPoints = PROGRAMS.map((name) => join(ROOT, 'src/bin', `${name}.ts`));
  await bundle({
    entryPoints: entryPoints.filter((path) => existsSync(path)),
    outdir: dir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.12',
    // Finds its native part relative to its own files, so it stays a package.
    external: ['koffi'],
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: BANNER },
    legalComments: 'none',
    logLevel: 'warning',
  });
  await chmod(join(dir, 'cli.js'), 0o755);
  await mkdir(join(dir, 'embedded'));
  await writeEmbeddedImage(join(dir, 'embedded', 'busybox.tar'));
  await cp(join(ROOT, 'vm'), join(dir, 'vm'), { recursive: true });
}

if (process.argv[1] === import.meta.filename) {
  const types = await $({ cwd: ROOT, stdio: 'inherit', nothrow: true })`npx tsc --noEmit -p .`;
  if (types.exitCode === 0) await build();
  else process.exitCode = 1;
}
