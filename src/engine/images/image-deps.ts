/** What the verbs of images work with. Built once in the composition root. */
import type { Downloads } from '../../distribution/downloads.ts';
import type { ArchiveReader, ArchiveWriter } from '../../distribution/image-archive.ts';
import type { ImageRegistry } from '../../distribution/image-registry.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Failpoints } from '../../shared/failpoints.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Collection } from '../../state/collection.ts';
import type { CacheSource } from '../../storage/cache-source.ts';
import type { ContentStore } from '../../storage/content-store.ts';
import type { LayerChecker } from '../../storage/layer-checker.ts';
import type { LayerUnpacker } from '../../storage/layer-unpacker.ts';
import type { LayoutIndex } from '../../storage/layout-index.ts';
import type { SharedLayouts } from '../../storage/shared-layouts.ts';
import type { Snapshotter } from '../../storage/snapshotter.ts';
import type { EngineEvent } from '../events/engine-event.ts';
import type { ImageDocument } from './image-document.ts';
import type { ImageStore } from './image-store.ts';
import type { LayerCompressor } from './layer-compressor.ts';
import type { LayerTransfers } from './layer-transfers.ts';
import type { Leases } from './leases.ts';

/** Where events go. */
export interface EventSink {
  publish(event: Omit<EngineEvent, 'timeNano'>): void;
}

/** A container that was made from an image. */
export interface ImageUser {
  readonly id: string;
  readonly name: string;
  readonly running: boolean;
}

/** What the composition root provides. */
export interface ImageServiceOptions {
  readonly documents: Collection<ImageDocument>;
  readonly content: ContentStore;
  readonly layoutIndex: LayoutIndex;
  /** Read-only stores of several users; their blobs are part of `content`. */
  readonly layouts: SharedLayouts;
  readonly snapshots: Snapshotter;
  readonly unpacker: LayerUnpacker;
  /** Of the same snapshotter. */
  readonly checker: LayerChecker;
  /** Caches that hold blobs and layers of the store beside the images. */
  readonly caches: readonly Pick<CacheSource, 'holds'>[];
  readonly registry: ImageRegistry;
  readonly downloads: Downloads;
  readonly archives: ArchiveReader;
  readonly archiveWriter: ArchiveWriter;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Pulls are answered from the store where it has the image. */
  readonly isOffline: boolean;
  /** Layers that are fetched, and sent, at the same time. */
  readonly maxDownloads: number;
  readonly maxUploads: number;
  readonly failpoints: Failpoints;
  /** What images must run on when the client does not say. */
  readonly platform: Platform;
  /** Containers made from an image. */
  readonly usedBy: (imageId: Digest) => readonly ImageUser[];
}

/** The same, with what images share among themselves. */
export interface ImageDeps extends ImageServiceOptions {
  readonly store: ImageStore;
  readonly transfers: LayerTransfers;
  readonly leases: Leases;
  readonly compressor: LayerCompressor;
}
