/**
 * Checks everything that images consist of against the digests that name it, while the engine goes on with its work.
 * Nothing of an image is swept away meanwhile.
 */
import type { StorageFinding, StorageLine } from '../../../handshake/storage-report.ts';
import type { Digest } from '../../../oci/digest.ts';
import { collectGarbage, garbageIn } from '../collect-garbage.ts';
import type { ImageDeps } from '../image-deps.ts';
import type { ImageDocument } from '../image-document.ts';
import { checkBlobs, readManifest } from './check-blobs.ts';
import { checkLayers } from './check-layers.ts';
import {
  type CheckOptions,
  type CheckRun,
  cureFor,
  namesOfImage,
  settleFinding,
} from './check-run.ts';

/** Tells each finding when it is settled, and a summary at the end. Stops when the reader leaves or `signal` aborts. */
export async function* checkStorage(
  deps: ImageDeps,
  options: CheckOptions,
  signal: AbortSignal,
): AsyncGenerator<StorageLine> {
  const run: CheckRun = { ...options, deps, signal, blobs: new Map(), layers: new Map() };
  const documents = deps.store.documents();
  let findings = 0;
  let left = 0;
  for await (const finding of findingsOf(run, documents)) {
    findings++;
    if (finding.outcome !== 'repaired') left++;
    yield { finding };
  }
  const { blobs, layers } = run;
  const images = documents.length;
  yield { summary: { images, blobs: blobs.size, layers: layers.size, findings, left } };
}

async function* findingsOf(
  run: CheckRun,
  documents: readonly ImageDocument[],
): AsyncGenerator<StorageFinding> {
  for (const document of documents) yield* checkImage(run, document);
  yield* checkCached(run);
  yield* checkGarbage(run);
  yield* checkIndex(run);
  yield* checkContainers(run);
}

async function* checkImage(run: CheckRun, document: ImageDocument): AsyncGenerator<StorageFinding> {
  const { deps } = run;
  const release = await deps.leases.hold(await blobsOf(run, document));
  try {
    yield* checkBlobs(run, document);
    if (deps.store.get(document.id) === undefined) yield* loadAgain(run, document);
    const record = deps.store.get(document.id);
    if (record !== undefined) yield* checkLayers(run, record);
  } finally {
    release();
  }
}

async function blobsOf(run: CheckRun, document: ImageDocument): Promise<readonly Digest[]> {
  const manifest = await readManifest(run, document);
  return [
    ...[document.id, document.manifest.digest],
    ...(document.indexDigest === undefined ? [] : [document.indexDigest]),
    ...(manifest?.layers ?? []).map(({ digest }) => digest),
  ];
}

/** An image that was damaged when the engine started is in no list: with whole blobs it comes back. */
async function* loadAgain(run: CheckRun, document: ImageDocument): AsyncGenerator<StorageFinding> {
  const { store } = run.deps;
  const isGone = !store.documents().some(({ id }) => id === document.id);
  if (isGone) return;
  yield await settleFinding(
    run,
    {
      kind: 'image',
      subject: document.id,
      images: namesOfImage(document),
      problem: 'could not be loaded',
    },
    {
      act: async () => {
        await store.reload(document);
      },
      cure: cureFor(document),
    },
  );
}

/** Blobs that no image has: what caches hold can be made again. */
async function* checkCached(run: CheckRun): AsyncGenerator<StorageFinding> {
  const { content, caches } = run.deps;
  const held = new Set(caches.flatMap((cache) => [...cache.holds()]));
  for (const digest of await content.list()) {
    if (!held.has(digest) || run.blobs.has(digest)) continue;
    run.signal.throwIfAborted();
    const isWhole = (await content.verify(digest)) === 'whole';
    run.blobs.set(digest, isWhole);
    if (isWhole) continue;
    const problem = 'does not have the bytes that its name says; it is of the build cache';
    const [outcome, cure] = ['not-repaired', 'docker builder prune -a'] as const;
    yield { kind: 'blob', subject: digest, images: [], problem, outcome, cure };
  }
}

async function* checkGarbage(run: CheckRun): AsyncGenerator<StorageFinding> {
  const garbage = await garbageIn(run.deps);
  let isSwept = false;
  const sweep = async () => {
    if (!isSwept) await collectGarbage(run.deps);
    isSwept = true;
  };
  for (const subject of garbage) {
    yield await settleFinding(
      run,
      { kind: 'garbage', subject, images: [], problem: 'is needed by nothing' },
      { act: sweep, cure: 'docker image prune' },
    );
  }
}

async function* checkIndex(run: CheckRun): AsyncGenerator<StorageFinding> {
  const { store } = run.deps;
  if (await store.isIndexCurrent()) return;
  yield await settleFinding(
    run,
    {
      kind: 'index',
      subject: 'index.json',
      images: [],
      problem: 'does not tell other tools of the images that are here',
    },
    { act: () => store.refreshIndex(), cure: 'make room on the disk and check again' },
  );
}

/** What is left of containers that cannot run can only be helped from outside. */
async function* checkContainers(run: CheckRun): AsyncGenerator<StorageFinding> {
  for (const { key, problem, cure } of await run.deps.checker.brokenActive()) {
    const outcome = 'not-repaired';
    yield {
      kind: 'container',
      subject: key,
      images: [],
      problem: `is broken: ${problem}`,
      outcome,
      cure,
    };
  }
}
