/** Images between a registry on loopback, the store, and archives: each of them once, into an empty store. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianImage } from '../../test/support/debian-image.ts';
import { TestRegistry } from '../../test/support/registry.ts';
import { runCommand } from '../../test/support/run-command.ts';
import { type ImageRecipe, imageArchive, imageBlobs } from '../image/image-archive.ts';
import { type LayerEntry, tarOf } from '../image/tar-of.ts';
import { serveGeneratedImage } from './generated-registry.ts';
import { PingWatch } from './ping-watch.ts';
import type { Reading } from './sections.ts';
import { runClient, type Subject } from './subject.ts';

const FILES = 20_000;
const LAYERS = 5;
const FILE_BYTES = 6_000;
const CREATED = '2025-01-01T00:00:00.000Z';
const BYTES_PER_MB = 1_000_000;
const LARGE_MB = 2_000;
const LARGE_LAYERS = 4;

const DEBIAN = 'pull Debian, ms';
const MANY_FILES = `pull ${FILES} files in ${LAYERS} layers, ms`;

/** Pulls, saves and loads. Content is made anew: nothing is there before. */
export async function measureImageTransfers(subject: Subject): Promise<readonly Reading[]> {
  await using registry = await TestRegistry.start();
  const dir = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const debian = await registry.push(await debianImage('bench/debian:1'));
    const files = await registry.push(await manyFiles('bench/files:1', 'pulled'));
    const archive = join(dir, 'load.tar');
    await writeFile(archive, await imageArchive(await manyFiles('bench/loaded:1', 'loaded')));
    const saved = join(dir, 'save.tar');
    const pull = (reference: string) => [...subject.pull, reference];
    const watch = new PingWatch(subject);
    const readings: Reading[] = [
      [DEBIAN, await timed(subject, ...pull(debian.reference))],
      [MANY_FILES, await timed(subject, ...pull(files.reference))],
      ['save of it, ms', await timed(subject, 'save', '-o', saved, files.reference)],
      [`load of ${FILES} files, ms`, await timed(subject, 'load', '-q', '-i', archive)],
    ];
    const longest = await watch.end();
    const size = (await stat(saved)).size / BYTES_PER_MB;
    return [
      ...readings,
      ['saved archive, MB', size],
      ['longest ping meanwhile, ms', longest],
      [
        `memory of the largest process, ${LARGE_MB} MB pulled, MB`,
        await memoryOfLargePull(subject),
      ],
      // After the memory: what is read there is the most that a process ever had.
      ...(await measureCommit(subject)),
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** A container with many files becomes an image. */
async function measureCommit(subject: Subject): Promise<readonly Reading[]> {
  const name = 'bench-commit';
  const make = `for d in $(seq 100); do mkdir -p /d/$d; for f in $(seq ${FILES / 100}); do
    echo $d $f $RANDOM > /d/$d/$f; done; done`;
  await runClient(subject, 'run', '--name', name, subject.image, 'sh', '-c', make);
  const watch = new PingWatch(subject);
  const took = await timed(subject, 'commit', name, 'bench/committed:1');
  const longest = await watch.end();
  await runClient(subject, 'rm', '-f', name);
  await runClient(subject, 'rmi', '-f', 'bench/committed:1');
  return [
    [`commit of ${FILES} small files, ms`, took],
    ['longest ping during it, ms', longest],
  ];
}

/** The high-water mark of the subject's largest process, which has pulled and unpacked a large image. */
async function memoryOfLargePull(subject: Subject): Promise<number> {
  await using image = await serveGeneratedImage(LARGE_LAYERS, LARGE_MB / LARGE_LAYERS);
  await runClient(subject, ...subject.pull, image.reference);
  const marks = (await subject.processIds()).map(async (pid) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  });
  await runClient(subject, 'rmi', '-f', image.reference);
  return Math.max(...(await Promise.all(marks))) / BYTES_PER_MB;
}

/** What the same downloads take that only fetch, unpack and write: one pipe for each layer, all at once. */
export async function measureTransferFloor(): Promise<readonly Reading[]> {
  await using registry = await TestRegistry.start();
  const readings: Reading[] = [];
  for (const [name, recipe] of [
    [DEBIAN, await debianImage('bench/debian:1')],
    [MANY_FILES, await manyFiles('bench/files:1', 'pulled')],
  ] as const) {
    await registry.push(recipe);
    const dir = await mkdtemp(join(tmpdir(), 'bench-'));
    const [repository] = recipe.reference.split(':');
    const script = imageBlobs(recipe)
      .layers.map(({ digest }, index) => {
        const url = `http://${registry.host}/v2/${repository}/blobs/${digest}`;
        return `mkdir ${index}; curl -sf ${url} | tar xz --no-same-owner -C ${index} &`;
      })
      .join('\n');
    const started = performance.now();
    await runCommand(['sh', '-c', `${script}\nwait`], { cwd: dir });
    readings.push([name, performance.now() - started]);
    await rm(dir, { recursive: true, force: true });
  }
  return readings;
}

async function manyFiles(reference: string, seed: string): Promise<ImageRecipe> {
  const layers = Array.from({ length: LAYERS }, async (_, layer) => {
    const entries = Array.from({ length: FILES / LAYERS }, (_unused, index): LayerEntry => {
      const path = `${layer}/d${index % 100}/f${index}`;
      const line = `${seed} ${path} ${(index * 2_654_435_761) % 4_294_967_296}\n`;
      const content = Buffer.from(line.repeat(Math.ceil(FILE_BYTES / line.length)));
      return { kind: 'file', path, mode: 0o644, content };
    });
    return { tar: await tarOf(entries, Date.parse(CREATED)), createdBy: `layer ${layer}` };
  });
  return { reference, created: CREATED, config: {}, layers: await Promise.all(layers) };
}

async function timed(subject: Subject, ...args: readonly string[]): Promise<number> {
  const started = performance.now();
  await runClient(subject, ...args);
  return performance.now() - started;
}
