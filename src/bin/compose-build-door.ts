/** Builds the door for BuildKit's clients. */
import type { BuildCache } from '../builder/build-cache.ts';
import { BuildkitDoor } from '../builder/buildkit/buildkit-door.ts';
import { TarArchiveWriter } from '../distribution/archive/tar-archive-writer.ts';
import type { ImageService } from '../engine/images/image-service.ts';
import { platformOfNodeArch, runnablePlatforms } from '../oci/platform.ts';
import { repositoryName } from '../oci/reference.ts';
import type { ContentStore } from '../storage/content-store.ts';
import type { FileTrees } from '../storage/file-trees.ts';
import type { Snapshotter } from '../storage/snapshotter.ts';
import type { ComposedBuilder } from './compose-builder.ts';
import type { EngineParts } from './engine-composition.ts';

export interface BuildDoorParts {
  readonly id: string;
  readonly images: ImageService;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly trees: FileTrees;
  readonly builder: ComposedBuilder;
  readonly caches: BuildCache;
}

export function composeBuildDoor(parts: EngineParts, made: BuildDoorParts): BuildkitDoor {
  const { facts, version, clock, logger } = parts;
  const { content, snapshots, trees } = made;
  const platform = platformOfNodeArch(process.arch);
  return new BuildkitDoor({
    ...{ engineId: made.id, version, platform, platforms: runnablePlatforms(platform) },
    hostGatewayIp: facts.uplink.driver === 'none' ? '' : facts.hostAddress,
    solver: made.builder.solver,
    cache: made.caches,
    exports: {
      ...{ content, snapshots, trees, archives: new TarArchiveWriter() },
      ...{ registry: made.builder.registry, platform, clock },
      images: made.builder.images,
      push: (reference, credentials, signal) =>
        made.images.push(
          {
            image: repositoryName(reference),
            tag: reference.tag,
            platform: undefined,
            credentials,
          },
          signal,
        ),
    },
    receive: made.builder.receive,
    contexts: made.builder.contexts,
    ...{ clock, logger },
  });
}
