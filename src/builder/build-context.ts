/**
 * Port: where the files of a build come from. Every kind of context (an unpacked archive, a client's directory
 * synchronized over a session, a git checkout, a download, the files of an image) ends as a directory on this
 * machine, which the solver reads, hashes and copies from. Links in it are followed inside of the directory only.
 */

/** Which part of a context is needed. */
export interface ContextWant {
  /**
   * Patterns of the paths that COPY and ADD name, relative, without leading slash; undefined for everything. A
   * context may bring more than that.
   */
  readonly include: readonly string[] | undefined;
  /** Lines of the .dockerignore file, comments and blank lines removed; later lines win, `!` takes back. */
  readonly exclude: readonly string[];
}

/** A context that is on disk now. Nobody changes its files until `release`. */
export interface OpenedContext {
  /** Absolute path of the directory. */
  readonly dir: string;
  /** Bytes that had to be brought here, for progress; 0 when all was there. */
  readonly transferredBytes: number;
  /** Idempotent, never rejects. */
  release(): Promise<void>;
}

export interface BuildContext {
  /** What the context is called in messages: `context` for the main one, the name of a named one otherwise. */
  readonly name: string;
  /** False: files belong to root of the image, whoever has them here. True (images): owners count. */
  readonly keepsOwners: boolean;
  /** Called at most once for each build. Rejects with `cancelled` when the client is gone. */
  open(want: ContextWant, signal: AbortSignal): Promise<OpenedContext>;
}
