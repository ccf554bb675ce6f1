/** Builds of a Dockerfile in several stages: from nothing, again, and after one file changed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianImage } from '../../test/support/debian-image.ts';
import { runCommand } from '../../test/support/run-command.ts';
import { imageArchive } from '../image/image-archive.ts';
import { medianMs } from './measure.ts';
import type { Reading } from './sections.ts';
import { runClient, type Subject } from './subject.ts';

const BASE = 'bench/build-base:1';
const FILES = 2_000;
const FILE_BYTES = 2_000;
const ROUNDS = 5;
const UPLOAD_MB = 500;
const BYTES_PER_MB = 1_000_000;
const PARALLEL = 20;

/** Twelve steps in three stages; the first two do not wait for each other. */
const DOCKERFILE = `FROM docker.io/${BASE} AS prepare
ENV STEP=prepare
WORKDIR /work
RUN echo first > a
RUN cat a a > b
FROM docker.io/${BASE} AS compile
WORKDIR /src
COPY tree /src
RUN find . -type f | sort | xargs cat > /all
RUN wc -c < /all > /size
FROM docker.io/${BASE}
COPY --from=prepare /work /work
COPY --from=compile /all /size /out/
RUN test -s /out/size
CMD ["cat", "/out/size"]
`;

/** Builds with the subject's own client. */
export async function measureBuilds(subject: Subject): Promise<readonly Reading[]> {
  const dir = await mkdtemp(join(tmpdir(), 'bench-'));
  try {
    const archive = join(dir, 'base.tar');
    await writeFile(archive, await imageArchive(await debianImage(BASE)));
    await runClient(subject, 'load', '-q', '-i', archive);
    return [
      ...(await measureSteps(subject, join(dir, 'steps'))),
      ...(await measureUpload(subject, join(dir, 'upload'))),
      ...(await measureTogether(subject, join(dir, 'together'))),
    ];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

async function measureSteps(subject: Subject, dir: string): Promise<readonly Reading[]> {
  await writeTree(join(dir, 'tree'));
  await writeFile(join(dir, 'Dockerfile'), DOCKERFILE);
  const started = performance.now();
  await build(subject, dir, 'bench/built:1');
  const cold = performance.now() - started;
  let edition = 0;
  const cached = await medianMs(ROUNDS, () => build(subject, dir, 'bench/built:1'));
  const changed = await medianMs(ROUNDS, async () => {
    edition += 1;
    await writeFile(join(dir, 'tree/0/f0'), `edition ${edition}\n`);
    await build(subject, dir, 'bench/built:1');
  });
  return [
    [`build of 12 steps with ${FILES} files, ms`, cold],
    ['the same again, ms', cached],
    ['with one file changed, ms', changed],
  ];
}

async function writeTree(dir: string): Promise<void> {
  for (let group = 0; group < FILES / 100; group++) {
    await mkdir(join(dir, `${group}`), { recursive: true });
    for (let index = 0; index < 100; index++) {
      const line = `file ${index} of ${group}\n`;
      const text = line.repeat(Math.ceil(FILE_BYTES / line.length));
      await writeFile(join(dir, `${group}/f${index}`), text);
    }
  }
}

/** One file that does not compress, copied once. */
async function measureUpload(subject: Subject, dir: string): Promise<readonly Reading[]> {
  await mkdir(dir);
  await writeFile(join(dir, 'Dockerfile'), 'FROM scratch\nCOPY data /\n');
  const block = Buffer.alloc(BYTES_PER_MB, 'some bytes of a large context ');
  await writeFile(join(dir, 'data'), Buffer.concat(Array(UPLOAD_MB).fill(block)));
  const started = performance.now();
  await build(subject, dir, 'bench/upload:1');
  const seconds = (performance.now() - started) / 1000;
  return [[`context of ${UPLOAD_MB} MB copied, MB/s`, UPLOAD_MB / seconds]];
}

/** Builds at once whose costly step is the same; how long all of them take, and one alone. */
async function measureTogether(subject: Subject, dir: string): Promise<readonly Reading[]> {
  await mkdir(dir);
  const write = (text: string) =>
    writeFile(join(dir, 'Dockerfile'), `FROM docker.io/${BASE}\nRUN sleep 2 && echo ${text}\n`);
  await write('alone');
  const started = performance.now();
  await build(subject, dir, 'bench/alone:1');
  const alone = performance.now() - started;
  await write('together');
  const togetherStarted = performance.now();
  await Promise.all(
    Array.from({ length: PARALLEL }, (_, at) => build(subject, dir, `bench/together:${at}`)),
  );
  return [
    ['build of one slow step, ms', alone],
    [`${PARALLEL} of them at once, ms`, performance.now() - togetherStarted],
  ];
}

async function build(subject: Subject, dir: string, tag: string): Promise<void> {
  const { argv, env } = subject.builder;
  const command = [...argv, '-t', tag, dir];
  const { code, stderr } = await runCommand(command, { env, timeoutMs: 600_000 });
  if (code !== 0) throw new Error(`${subject.name}: ${command.join(' ')}: ${stderr.slice(-500)}`);
}
