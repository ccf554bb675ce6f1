/** Trees that instructions of one build read, each opened once. */
import type { Digest } from '../../oci/digest.ts';
import { newContainerId } from '../../shared/ids.ts';
import type { BuildContext } from '../build-context.ts';
import type { BuilderDeps } from '../builder-deps.ts';
import { PathPatterns } from '../patterns/path-patterns.ts';
import type { OpenTree, SourceTree } from './source-tree.ts';

export interface TreeOwner {
  readonly deps: Pick<BuilderDeps, 'snapshots'>;
  readonly signal: AbortSignal;
  /** Undone when the build ends. */
  defer(undo: () => Promise<unknown>): void;
}

/** The files of a context without those that .dockerignore names. */
export function contextTree(
  owner: TreeOwner,
  context: BuildContext,
  want: {
    include(): Promise<readonly string[] | undefined>;
    readonly exclude: readonly string[];
  },
): SourceTree {
  return {
    name: context.name,
    identity: undefined,
    keepsOwners: context.keepsOwners,
    ignored: new PathPatterns(want.exclude),
    open: once(async () => {
      const include = await want.include();
      const opened = await context.open({ include, exclude: want.exclude }, owner.signal);
      owner.defer(() => opened.release());
      return { dir: opened.dir };
    }),
  };
}

/** The files of a stage or image, mounted while the build goes on. `chainId`: undefined when it has none. */
export function layersTree(
  owner: TreeOwner,
  name: string,
  chainId: () => Promise<Digest | undefined>,
): SourceTree {
  return {
    name,
    identity: undefined,
    keepsOwners: true,
    ignored: new PathPatterns([]),
    open: once(async () => {
      const { snapshots } = owner.deps;
      const key = newContainerId();
      await snapshots.prepareActive(key, await chainId());
      owner.defer(() => snapshots.removeActive(key));
      return { dir: await snapshots.mount(key) };
    }),
  };
}

function once(open: () => Promise<OpenTree>): () => Promise<OpenTree> {
  let opened: Promise<OpenTree> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}
