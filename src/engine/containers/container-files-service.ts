/** The verbs that deal with the files of containers, bound to what they work with. */
import type { ContainerFilesBackend } from '../../api/backends.ts';
import { archiveContainerPath, statContainerPath } from './archive-container.ts';
import { type CommitRequest, commitContainer } from './commit-container.ts';
import { containerChanges } from './container-changes.ts';
import { exportContainer } from './export-container.ts';
import { type ExtractRequest, extractArchive } from './extract-archive.ts';
import type { ContainerFilesDeps } from './hold-tree.ts';

export class ContainerFilesService implements ContainerFilesBackend {
  readonly #deps: ContainerFilesDeps;

  constructor(deps: ContainerFilesDeps) {
    this.#deps = deps;
  }

  stat(ref: string, path: string) {
    return statContainerPath(this.#deps, ref, path);
  }

  archive(ref: string, path: string, signal: AbortSignal) {
    return archiveContainerPath(this.#deps, { ref, path }, signal);
  }

  extract(request: ExtractRequest, archive: AsyncIterable<Uint8Array>) {
    return extractArchive(this.#deps, request, archive);
  }

  changes(ref: string) {
    return containerChanges(this.#deps, ref);
  }

  commit(request: CommitRequest) {
    return commitContainer(this.#deps, request);
  }

  export(ref: string, signal: AbortSignal) {
    return exportContainer(this.#deps, ref, signal);
  }
}
