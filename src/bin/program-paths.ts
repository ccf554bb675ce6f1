/** Where the other programs of this installation are: bundled in `dist`, or sources that run through tsx. */
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Command } from '../sys/exec/command.ts';

/** The command that runs one of our programs with the same node. Absolute: its working directory is not ours. */
export function programCommand(
  name: 'engine' | 'host' | 'bridge',
  args: readonly string[],
): Command {
  return { file: process.execPath, args: [...programArguments(name), ...args] };
}

function programArguments(name: string): readonly string[] {
  if (import.meta.filename.endsWith('.ts')) {
    const source = join(import.meta.dirname, `${name}.ts`);
    return ['--import', import.meta.resolve('tsx'), source];
  }
  return [join(bundleDir(), `${name}.js`)];
}

/** Starts one of our programs as a thread of this one. */
export function startThread(name: 'unpacker'): Worker {
  if (import.meta.filename.endsWith('.ts')) {
    const source = pathToFileURL(join(import.meta.dirname, `${name}.ts`)).href;
    // Threads do not have the loader of sources from the command line: it is told to them.
    const boot = `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))};
      register();
      await import(${JSON.stringify(source)});`;
    return new Worker(new URL(`data:text/javascript,${encodeURIComponent(boot)}`), { name });
  }
  return new Worker(join(bundleDir(), `${name}.js`), { name });
}

/** The image that every installation brings along, as an OCI archive. */
export function embeddedImagePath(): string {
  return join(programsDir(), 'embedded', 'busybox.tar');
}

/** The bundled programs, which also run in the guest of a virtual machine. */
export function programsDir(): string {
  return import.meta.filename.endsWith('.ts')
    ? join(import.meta.dirname, '..', '..', 'dist')
    : bundleDir();
}

/** The recipe of the virtual machine's image. */
export function recipeDir(): string {
  return import.meta.filename.endsWith('.ts')
    ? join(import.meta.dirname, '..', '..', 'vm')
    : join(bundleDir(), 'vm');
}

/** Shared code is bundled into a folder of its own below the programs. */
function bundleDir(): string {
  const here = import.meta.dirname;
  return basename(here) === 'chunks' ? dirname(here) : here;
}
