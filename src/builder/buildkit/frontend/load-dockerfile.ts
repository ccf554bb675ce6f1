/** Fetches the Dockerfile and what is to be left out of the context. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path/posix';
import type { DockerfileSource } from '../../solver.ts';
import type { ClientProgress, StepProgress } from '../build/client-progress.ts';
import { noDockerfile } from './frontend-errors.ts';
import { openDirectory, type SessionDirectory } from './session-context.ts';

export interface LoadedDockerfile {
  readonly dockerfile: DockerfileSource;
  /** Contents of `<Dockerfile>.dockerignore`; undefined when there is none. */
  readonly ownIgnore: string | undefined;
}

/** `not-found` in BuildKit's words when there is no Dockerfile of that name. */
export function loadDockerfile(
  progress: ClientProgress,
  source: { readonly directory: SessionDirectory; readonly name: string },
  signal: AbortSignal,
): Promise<LoadedDockerfile> {
  const { directory, name } = source;
  return progress.step(`[internal] load build definition from ${name}`, async (step) => {
    const names = alternatives(name);
    const paths = [...names, `${name}.dockerignore`];
    const texts = await fetchFiles(directory, { paths, step, label: 'dockerfile' }, signal);
    const text = names.map((one) => texts.get(one)).find((one) => one !== undefined);
    if (text === undefined) throw noDockerfile(name);
    return { dockerfile: { name, text }, ownIgnore: texts.get(`${name}.dockerignore`) };
  });
}

/** The text of `.dockerignore` of the context; empty when there is none. */
export function loadDockerignore(
  progress: ClientProgress,
  directory: SessionDirectory,
  signal: AbortSignal,
): Promise<string> {
  return progress.step('[internal] load .dockerignore', async (step) => {
    const paths = ['.dockerignore'];
    const texts = await fetchFiles(directory, { paths, step, label: 'context' }, signal);
    return texts.get('.dockerignore') ?? '';
  });
}

/** `dockerfile` is accepted, too, as it was in Docker's first days. */
function alternatives(name: string): readonly string[] {
  const lower = join(dirname(name), 'dockerfile');
  return basename(name) === 'Dockerfile' ? [name, lower] : [name];
}

interface Wanted {
  readonly paths: readonly string[];
  readonly step: StepProgress;
  /** For `transferring …:`. */
  readonly label: string;
}

async function fetchFiles(
  directory: SessionDirectory,
  { paths, step, label }: Wanted,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const show = (bytes: number) => step.status(`transferring ${label}:`, bytes);
  show(0);
  const opened = await openDirectory(
    directory,
    { include: undefined, exclude: [], followPaths: paths, once: true, onProgress: show },
    signal,
  );
  try {
    const texts = new Map<string, string>();
    let total = 0;
    for (const path of paths) {
      const text = await readFile(join(opened.dir, path), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      texts.set(path, text);
      total += Buffer.byteLength(text);
    }
    show(Math.max(total, opened.transferredBytes));
    return texts;
  } finally {
    await opened.release();
  }
}
