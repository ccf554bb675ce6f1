/** Port: images that builds stand on, and where built ones go. The engine's images are behind it. */
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, ImageConfig } from '../oci/image-spec.ts';
import type { Platform } from '../oci/platform.ts';
import type { ImageReference } from '../oci/reference.ts';
import type { ProgressMessage } from '../wire/json-stream.ts';
import type { RegistryCredentials } from '../wire/registry-auth.ts';

/** Credentials for a registry, asked for when they are needed. `host` is `docker.io` or the registry's name. */
export type CredentialsFor = (
  host: string,
  signal: AbortSignal,
) => Promise<RegistryCredentials | undefined>;

/** `always` asks the registry, `missing` only when the store has no such image, `never` fails then. */
export type PullPolicy = 'always' | 'missing' | 'never';

export interface ResolveImageRequest {
  /** As written in the Dockerfile, without `--platform`. */
  readonly ref: string;
  readonly platform: Platform;
  readonly pull: PullPolicy;
  readonly credentialsFor: CredentialsFor;
  /** Lines of the pull, as `docker pull` shows them. */
  onProgress(line: Pick<ProgressMessage, 'id' | 'status' | 'progressDetail'>): void;
}

/** An image in the store, protected until `release`. */
export interface BaseImage {
  readonly id: Digest;
  /** `docker.io/library/debian:12@sha256:…`, as far as it is known. */
  readonly canonicalName: string;
  readonly config: ImageConfig;
  /** Bottom first; as many as `chainIds`. */
  readonly layers: readonly Descriptor[];
  readonly chainIds: readonly Digest[];
  /** Idempotent. */
  release(): void;
}

export interface NewImage {
  readonly config: ImageConfig;
  /** Blobs in the store, bottom first. */
  readonly layers: readonly Descriptor[];
  /** Names it gets; taken from other images. */
  readonly names: readonly ImageReference[];
  /** What else the names stand for. */
  readonly index?: NewIndex;
}

/** An index that names the image and others. */
export interface NewIndex {
  readonly bytes: Uint8Array;
  /** Documents of the other manifests, themselves among them. */
  readonly documents: ReadonlyMap<Digest, Uint8Array>;
  /** Layers of the others; blobs in the store. */
  readonly layers: readonly Digest[];
}

/** What was stored. */
export interface StoredImage {
  readonly id: Digest;
  readonly manifest: Descriptor;
}

/** A layer of an image, with its place in the stack. */
export interface PlacedLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parent: Digest | undefined;
}

/** Where the bytes of a layer come from. */
export type OpenLayer = (blob: Descriptor, signal: AbortSignal) => AsyncIterable<Uint8Array>;

export interface BuildImages {
  /** `not-found` with Docker's text when there is no such image. */
  resolve(request: ResolveImageRequest, signal: AbortSignal): Promise<BaseImage>;
  /** Makes an image of layers that are in the store, and names it. The same config and layers are the same image. */
  store(image: NewImage): Promise<StoredImage>;
  /** Whether an image has the layer. */
  usesLayer(chainId: Digest): boolean;
  /** Removes blobs and layers that nobody needs any more. */
  sweep(): Promise<void>;
  /** Brings a layer in whose parent is there. Nothing of it is swept until the result is called. */
  fetchLayer(layer: PlacedLayer, open: OpenLayer, signal: AbortSignal): Promise<() => void>;
  /** A layer in the form that registries get; its blob is not swept until `release`. */
  compressed(
    layer: Descriptor,
    signal: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly release: () => void }>;
  /** Protects blobs and layers from being swept until the result is called. */
  hold(digests: readonly Digest[]): Promise<() => void>;
}
