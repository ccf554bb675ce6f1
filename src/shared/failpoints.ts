/**
 * Named points within the verbs at which the crash tests stop the engine, to kill it or the host there. Each marks a
 * moment after one durable or visible step and before the next: what a crash in between leaves must be recovered.
 */

/** Every point that exists. The crash tests go through this list, and fail when one of them is never reached. */
export const FAILPOINTS = [
  'container-create:after-name',
  'container-create:after-volumes',
  'container-create:after-snapshot',
  'container-create:after-document',
  'container-start:after-intent',
  'container-start:after-mount',
  'container-start:after-volumes',
  'container-start:after-network',
  'container-start:after-namespaces',
  'task-start:after-bundle',
  'task-start:after-create',
  'task-start:after-note',
  'container-start:after-task',
  'container-start:after-document',
  'exec-start:after-files',
  'exec-start:after-process',
  'container-stop:after-intent',
  'container-exit:after-release',
  'container-exit:after-document',
  'container-restart:after-stop',
  'container-pause:after-intent',
  'container-unpause:after-thaw',
  'container-rename:after-document',
  'container-remove:after-intent',
  'container-remove:after-sandbox',
  'container-remove:after-snapshot',
  'container-remove:after-volumes',
  'container-remove:after-document',
  'image-pull:after-config',
  'image-pull:after-layers',
  'image-pull:after-manifest',
  'image-pull:after-document',
  'image-build:after-context',
  'image-build:after-snapshot',
  'image-build:after-task',
  'image-build:after-blob',
  'image-build:after-layer',
  'image-build:after-layers',
  'image-build:after-image',
  'image-commit:after-pause',
  'image-commit:after-image',
  'volume-create:after-document',
  'volume-create:after-files',
  'volume-remove:after-unmount',
  'volume-remove:after-document',
  'network-create:after-document',
  'network-create:after-bridge',
  'network-connect:after-intent',
  'network-connect:after-endpoint',
  'network-connect:after-document',
  'network-disconnect:after-intent',
  'network-disconnect:after-endpoint',
  'network-remove:after-bridge',
  'network-remove:after-document',
] as const;

/** Name of a point: `verb:moment`. */
export type Failpoint = (typeof FAILPOINTS)[number];

/** Tells whoever injected it that a point is reached. Outside of the crash tests nothing happens. */
export interface Failpoints {
  hit(point: Failpoint): void;
}

/** Points without an effect. */
export const NO_FAILPOINTS: Failpoints = { hit: () => undefined };
