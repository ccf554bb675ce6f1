/** Files of containers in memory, for tests of the API: every container has `/file` and the directory `/dir`. */
import type { ContainerFilesBackend } from '../../src/api/backends.ts';
import type { CommitRequest } from '../../src/engine/containers/commit-container.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { EngineError } from '../../src/shared/errors.ts';
import type { PathStat } from '../../src/storage/file-trees.ts';
import type { PathChange } from '../../src/storage/snapshot-diff.ts';
import { FAKE_TIME, type FakeContainers } from './fake-containers.ts';

const CONTENT = Buffer.from('an archive');

export class FakeContainerFiles implements ContainerFilesBackend {
  readonly #containers: FakeContainers;
  /** What was unpacked last. */
  extracted: { readonly request: object; readonly bytes: number } | undefined;

  /** What was committed last. */
  committed: CommitRequest | undefined;

  constructor(containers: FakeContainers) {
    this.#containers = containers;
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    this.#containers.find(ref);
    const facts = { modifiedAt: FAKE_TIME, linkTarget: '' };
    if (path === '/file') return { name: 'file', sizeBytes: 10, mode: 0o100644, ...facts };
    if (path === '/dir') return { name: 'dir', sizeBytes: 4096, mode: 0o041777, ...facts };
    throw new EngineError('not-found', `Could not find the file ${path} in container ${ref}`);
  }

  async archive(ref: string, path: string) {
    return { stat: await this.stat(ref, path), tar: oneChunk() };
  }

  async extract(
    request: Parameters<ContainerFilesBackend['extract']>[0],
    archive: AsyncIterable<Uint8Array>,
  ): Promise<void> {
    await this.stat(request.ref, request.path);
    if (request.path === '/file') {
      throw new EngineError('invalid-argument', 'extraction point is not a directory');
    }
    let bytes = 0;
    for await (const chunk of archive) bytes += chunk.length;
    this.extracted = { request, bytes };
  }

  async changes(ref: string): Promise<readonly PathChange[]> {
    this.#containers.find(ref);
    return [
      { kind: 'modified', path: '/etc' },
      { kind: 'added', path: '/etc/new' },
      { kind: 'deleted', path: '/etc/old' },
    ];
  }

  async commit(request: CommitRequest): Promise<string> {
    this.#containers.find(request.ref);
    this.committed = request;
    return digestOf('committed');
  }

  async export(ref: string) {
    this.#containers.find(ref);
    return oneChunk();
  }
}

async function* oneChunk(): AsyncGenerator<Uint8Array> {
  yield CONTENT;
}
