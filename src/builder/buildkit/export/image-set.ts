/** The documents of what a build exports: manifests, attestations beside them, and the index that names them all. */
import { type Digest, digestOf } from '../../../oci/digest.ts';
import type { Descriptor, Index, Manifest } from '../../../oci/image-spec.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_MANIFEST } from '../../../oci/media-types.ts';
import type { BuiltImage } from '../../solver.ts';
import { type ImageDocuments, imageDocuments } from './image-documents.ts';

/** in-toto's media type of a statement, and the annotation that says what is in it. */
const STATEMENT = 'application/vnd.in-toto+json';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';
const NOWHERE = { os: 'unknown', architecture: 'unknown' };

/** A statement about an image. */
export interface Attestation {
  readonly predicateType: string;
  readonly statement: Uint8Array;
}

/** Makes the statement about an image whose manifest is known. */
export type Attest = (image: BuiltImage, manifest: Digest) => Attestation;

/** An image of the set, with its documents. */
export interface SetImage extends ImageDocuments {
  readonly image: BuiltImage;
}

export interface SetIndex {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  /** Documents of attestations, by digest. */
  readonly attestations: ReadonlyMap<Digest, Uint8Array>;
}

export interface ImageSet {
  readonly images: readonly SetImage[];
  /** Undefined for one image that nothing is said about. */
  readonly index: SetIndex | undefined;
}

export function imageSet(built: readonly BuiltImage[], attest: Attest | undefined): ImageSet {
  const images = built.map((image) => ({ image, ...imageDocuments(image) }));
  if (images.length < 2 && attest === undefined) return { images, index: undefined };
  const attestations = new Map<Digest, Uint8Array>();
  const attested = images.flatMap(({ image, descriptor: { digest } }) =>
    attest === undefined
      ? []
      : [attestationManifest(attest(image, digest), { of: digest, into: attestations })],
  );
  const manifests = [
    ...images.map((one) => ({ ...one.descriptor, platform: one.image.platform })),
    ...attested,
  ];
  const index: Index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
  const bytes = toBytes(index);
  const descriptor = describe(OCI_INDEX, bytes);
  return { images, index: { descriptor, bytes, attestations } };
}

/** The manifest that holds a statement; it is listed in the index with what it is about. */
function attestationManifest(
  { predicateType, statement }: Attestation,
  { of, into }: { readonly of: Digest; readonly into: Map<Digest, Uint8Array> },
): Descriptor {
  const layer = {
    ...describe(STATEMENT, statement),
    annotations: { [PREDICATE_TYPE]: predicateType },
  };
  const config = toBytes({
    ...NOWHERE,
    config: {},
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: describe(OCI_CONFIG, config),
    layers: [layer],
  };
  const bytes = toBytes(manifest);
  const descriptor = describe(OCI_MANIFEST, bytes);
  into.set(layer.digest, statement);
  into.set(manifest.config.digest, config);
  into.set(descriptor.digest, bytes);
  return {
    ...descriptor,
    annotations: {
      'vnd.docker.reference.digest': of,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: NOWHERE,
  };
}

const toBytes = (document: object): Uint8Array => Buffer.from(JSON.stringify(document));

const describe = (mediaType: string, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length,
});
