import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImageView } from '../../engine/images/image-view.ts';
import { digestOf } from '../../oci/digest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/media-types.ts';
import type { ApiVersion } from '../../wire/api-version.ts';
import { toImageInspect, toImageSummary } from './image.ts';

const layer = digestOf('layer');
const child = { mediaType: OCI_MANIFEST, digest: digestOf('manifest'), size: 30 };
const view: ImageView = {
  id: digestOf('config'),
  parentId: undefined,
  config: {
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['sh'], Labels: { a: 'b' } },
    rootfs: { type: 'layers', diff_ids: [layer] },
  },
  manifest: child,
  descriptor: { mediaType: OCI_INDEX, digest: digestOf('index'), size: 70 },
  repoTags: [],
  repoDigests: ['x@sha256:1'],
  sizeBytes: 500,
  containerCount: 2,
  lastTaggedAt: '2025-01-01T00:00:00Z',
  layerChainIds: [layer],
  manifests: [
    {
      ...{ kind: 'image', descriptor: child, isAvailable: true, contentBytes: 100 },
      ...{ unpackedBytes: 500, containerIds: ['c1'] },
      platform: { os: 'linux', architecture: 'amd64' },
    },
    { kind: 'attestation', descriptor: child, isAvailable: false, contentBytes: 0, attests: 'x' },
  ],
};

type Answer = Readonly<Record<string, unknown>>;

/** Versions at which a field is there. */
function versionsWith(
  name: string,
  answer: (version: ApiVersion) => object,
): readonly ApiVersion[] {
  const versions = ['1.24', '1.42', '1.43', '1.44', '1.45', '1.47', '1.48', '1.51'] as const;
  return versions.filter((version) => name in answer(version));
}

test('an inspected image has the fields of the version that was asked for', () => {
  const inspect = (version: ApiVersion) =>
    toImageInspect(view, { version, storageDriver: 'overlay2' }) as Answer;
  assert.deepEqual(versionsWith('VirtualSize', inspect), ['1.24', '1.42', '1.43']);
  assert.deepEqual(versionsWith('Created', inspect), ['1.24', '1.42', '1.43']);
  assert.deepEqual(versionsWith('ContainerConfig', inspect), ['1.24', '1.42', '1.43', '1.44']);
  assert.deepEqual(versionsWith('Descriptor', inspect), ['1.48', '1.51']);
  assert.equal(inspect('1.24')['Created'], '0001-01-01T00:00:00Z');
  assert.ok('Hostname' in (inspect('1.49')['Config'] as object));
  assert.ok(!('Hostname' in (inspect('1.50')['Config'] as object)));
  assert.deepEqual(inspect('1.51')['RootFS'], { Type: 'layers', Layers: [layer] });
});

test('a listed image has the fields of the version that was asked for', () => {
  const list = (version: ApiVersion) => toImageSummary(view, version) as Answer;
  assert.deepEqual(versionsWith('VirtualSize', list), ['1.24', '1.42', '1.43']);
  assert.deepEqual(versionsWith('Descriptor', list), ['1.48', '1.51']);
  assert.deepEqual([list('1.50')['Containers'], list('1.51')['Containers']], [-1, 2]);
  assert.deepEqual(list('1.42')['RepoTags'], ['<none>:<none>']);
  assert.deepEqual(list('1.43')['RepoTags'], []);
  assert.deepEqual([list('1.51')['SharedSize'], list('1.51')['Size']], [-1, 500]);
});

test('manifests are told with what is here of them', () => {
  const { Manifests } = toImageSummary(view, '1.51') as { Manifests: readonly Answer[] };
  const [image, attestation] = Manifests;
  assert.deepEqual(image, {
    ...{ ID: child.digest, Descriptor: child, Available: true, Kind: 'image' },
    Size: { Content: 100, Total: 600 },
    ImageData: {
      Platform: { os: 'linux', architecture: 'amd64' },
      Containers: ['c1'],
      Size: { Unpacked: 500 },
    },
  });
  assert.deepEqual(attestation?.['AttestationData'], { For: 'x' });
  assert.equal(attestation?.['Available'], false);
});
