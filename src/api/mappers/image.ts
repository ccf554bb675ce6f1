/** Images as the list, inspect, history and removal show them. */
import type { SearchResult } from '../../distribution/image-registry.ts';
import type { ImageView, ManifestView } from '../../engine/images/image-view.ts';
import type { ImageRunConfig } from '../../oci/image-spec.ts';
import { ZERO_TIME } from '../../shared/clock.ts';
import { type ApiVersion, isAtLeast } from '../../wire/api-version.ts';
import type { ImageHistoryEntry, ImageRemoval } from '../image-backend.ts';

/** One entry of `GET /images/json`. */
export function toImageSummary(view: ImageView, version: ApiVersion): object {
  const nameless = isAtLeast(version, '1.43') ? [] : ['<none>:<none>'];
  return {
    Containers: isAtLeast(version, '1.51') ? view.containerCount : -1,
    Created: Math.floor(Date.parse(view.config.created ?? ZERO_TIME) / 1000) || 0,
    Id: view.id,
    Labels: view.config.config?.Labels ?? null,
    ParentId: view.parentId ?? '',
    RepoDigests: view.repoDigests,
    RepoTags: view.repoTags.length === 0 ? nameless : view.repoTags,
    SharedSize: view.sharedSizeBytes ?? -1,
    Size: view.sizeBytes,
    ...virtualSize(view, version),
    ...(isAtLeast(version, '1.48') ? { Descriptor: view.descriptor } : {}),
    ...manifestsOf(view),
  };
}

/** `GET /images/{name}/json`. */
export function toImageInspect(
  view: ImageView,
  options: { readonly version: ApiVersion; readonly storageDriver: string },
): object {
  const { config } = view;
  return {
    Id: view.id,
    RepoTags: view.repoTags,
    RepoDigests: view.repoDigests,
    Parent: view.parentId ?? '',
    Comment: config.history?.at(-1)?.comment ?? '',
    ...createdOf(config.created, options.version),
    ...containerOf(options.version),
    DockerVersion: '',
    Author: config.author ?? '',
    Config: toRunConfig(config.config ?? {}, options.version),
    Architecture: config.architecture,
    ...(config.variant === undefined ? {} : { Variant: config.variant }),
    Os: config.os,
    ...(config['os.version'] === undefined ? {} : { OsVersion: config['os.version'] }),
    Size: view.sizeBytes,
    ...virtualSize(view, options.version),
    GraphDriver: { Data: null, Name: options.storageDriver },
    RootFS: { Type: 'layers', Layers: config.rootfs.diff_ids },
    Metadata: { LastTagTime: view.lastTaggedAt },
    ...(isAtLeast(options.version, '1.48') ? { Descriptor: view.descriptor } : {}),
    ...manifestsOf(view),
  };
}

function manifestsOf({ manifests }: ImageView): object {
  return manifests === undefined ? {} : { Manifests: manifests.map(toManifestSummary) };
}

function toManifestSummary(view: ManifestView): object {
  const { descriptor, isAvailable, contentBytes } = view;
  const unpackedBytes = view.kind === 'image' ? view.unpackedBytes : 0;
  const common = {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: isAvailable,
    Kind: view.kind,
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
  };
  if (view.kind === 'attestation') return { ...common, AttestationData: { For: view.attests } };
  if (view.kind === 'unknown') return common;
  const { platform, containerIds } = view;
  const Size = { Unpacked: unpackedBytes };
  return { ...common, ImageData: { Platform: platform, Containers: containerIds, Size } };
}

/** Up to 1.43 an image that does not say when it was made has the zero time. */
function createdOf(created: string | undefined, version: ApiVersion): object {
  if (created !== undefined) return { Created: created };
  return isAtLeast(version, '1.44') ? {} : { Created: ZERO_TIME };
}

/** Up to 1.44 there were fields for the container that the image was made from. */
function containerOf(version: ApiVersion): object {
  if (isAtLeast(version, '1.45')) return {};
  return { Container: '', ContainerConfig: toRunConfig({}, version) };
}

/** `VirtualSize` was dropped in 1.44. */
function virtualSize(view: ImageView, version: ApiVersion): object {
  return isAtLeast(version, '1.44') ? {} : { VirtualSize: view.sizeBytes };
}

/** Fields of a container's config that images never set, but that were written for them up to 1.49. */
const CONTAINER_ONLY = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
};

function toRunConfig(config: ImageRunConfig, version: ApiVersion): object {
  const always = {
    User: config.User ?? '',
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? '',
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: config.Labels ?? null,
  };
  const { ExposedPorts, StopSignal, Healthcheck, Shell, StopTimeout } = config;
  const whenSet = Object.entries({ ExposedPorts, StopSignal, Healthcheck, Shell, StopTimeout });
  return {
    ...(isAtLeast(version, '1.50') ? {} : CONTAINER_ONLY),
    ...always,
    ...Object.fromEntries(whenSet.filter(([, value]) => value !== undefined && value !== null)),
  };
}

/** One entry of `GET /images/{name}/history`. */
export function toHistoryEntry(entry: ImageHistoryEntry): object {
  return {
    Comment: entry.comment,
    Created: entry.createdSeconds,
    CreatedBy: entry.createdBy,
    Id: entry.id,
    Size: entry.sizeBytes,
    Tags: entry.tags.length === 0 ? null : entry.tags,
  };
}

/** One entry of the answer to a removal or a prune. */
export function toRemoval(removal: ImageRemoval): object {
  return 'untagged' in removal ? { Untagged: removal.untagged } : { Deleted: removal.deleted };
}

/** One element of the answer to a search. */
export function toSearchEntry(result: SearchResult): object {
  return {
    star_count: result.starCount,
    is_official: result.isOfficial,
    name: result.name,
    is_automated: result.isAutomated,
    description: result.description,
  };
}
