/** BuildKit's door with no engine behind it: a fake solver, images in memory. */
import { join } from 'node:path';
import type { BuildCache } from '../../src/builder/build-cache.ts';
import type { BuildImages, NewImage } from '../../src/builder/build-images.ts';
import { BuildkitDoor } from '../../src/builder/buildkit/buildkit-door.ts';
import { ContextStore } from '../../src/builder/buildkit/session/context-store.ts';
import { FakeSolver } from '../../src/builder/fake/fake-solver.ts';
import { TarArchiveWriter } from '../../src/distribution/archive/tar-archive-writer.ts';
import { FakeRegistry } from '../../src/distribution/fake/fake-registry.ts';
import { type Digest, digestOf } from '../../src/oci/digest.ts';
import type { Descriptor } from '../../src/oci/image-spec.ts';
import { OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { canonicalReference } from '../../src/oci/reference.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { EngineError } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { FakeSnapshotter } from '../../src/storage/fake/fake-snapshotter.ts';
import { MemoryContentStore } from '../../src/storage/fake/memory-content-store.ts';

/** Images that builds left, by name. */
export class FakeBuildImages implements BuildImages {
  readonly byName = new Map<string, NewImage>();
  readonly pushed: string[] = [];

  resolve(): Promise<never> {
    return Promise.reject(new EngineError('not-found', 'no images here'));
  }

  async store(image: NewImage): Promise<{ id: Digest; manifest: ReturnType<typeof manifestOf> }> {
    for (const name of image.names) this.byName.set(canonicalReference(name), image);
    const config = JSON.stringify(image.config);
    return { id: digestOf(config), manifest: manifestOf(config) };
  }

  usesLayer(): boolean {
    return false;
  }

  async sweep(): Promise<void> {
    // Nothing is kept.
  }

  fetchLayer(): Promise<never> {
    return Promise.reject(new EngineError('not-found', 'no layers here'));
  }

  async compressed(descriptor: Descriptor): Promise<{ descriptor: Descriptor; release(): void }> {
    return { descriptor, release: () => undefined };
  }

  async hold(): Promise<() => void> {
    return () => undefined;
  }
}

const manifestOf = (config: string) => ({
  mediaType: OCI_MANIFEST,
  digest: digestOf(`manifest of ${config}`),
  size: 1,
});

const EMPTY_CACHE: BuildCache = {
  usage: async () => [],
  prune: async () => ({ ids: [] }),
};

export interface FakeDoor {
  readonly door: BuildkitDoor;
  readonly solver: FakeSolver;
  readonly images: FakeBuildImages;
}

/** A door whose contexts are kept below `dir`. */
export function fakeBuildDoor(dir: string): FakeDoor {
  const solver = new FakeSolver();
  const images = new FakeBuildImages();
  const platform = { os: 'linux', architecture: 'amd64' };
  const door = new BuildkitDoor({
    ...{ engineId: 'engine', version: '0.0.0', hostGatewayIp: '10.0.2.2' },
    ...{ platform, platforms: [platform], solver, cache: EMPTY_CACHE },
    exports: {
      images,
      content: new MemoryContentStore(),
      archives: new TarArchiveWriter(),
      ...{ registry: new FakeRegistry(), platform, clock: systemClock },
      snapshots: new FakeSnapshotter(),
      trees: { open: () => Promise.reject(new Error('no files here')) },
      async *push(reference) {
        yield { status: 'Pushing' };
        images.pushed.push(canonicalReference(reference));
      },
    },
    receive: async ({ remote }, { body }) => ({
      ...(await receivedText(remote, body)),
      dockerignore: '',
      release: async () => undefined,
    }),
    contexts: new ContextStore(join(dir, 'contexts'), silentLogger),
    ...{ clock: systemClock, logger: silentLogger },
  });
  return { door, solver, images };
}

/** Takes what a client sends for the Dockerfile; there are no other files. */
async function receivedText(remote: string | undefined, body: AsyncIterable<Uint8Array>) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const text = remote === undefined ? Buffer.concat(chunks).toString() : `FROM ${remote}`;
  const open = () => Promise.reject(new Error('no files here'));
  return {
    dockerfile: { name: 'Dockerfile', text: text.replaceAll('\0', '') },
    context: { name: 'context', keepsOwners: false, open },
  };
}
