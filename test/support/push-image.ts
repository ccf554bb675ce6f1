/** Uploads images by the OCI distribution API: just enough for a registry on loopback. */
import assert from 'node:assert/strict';
import type { Blob, ImageBlobs } from '../../scripts/image/image-archive.ts';

/** Where an image goes. */
export interface PushTarget {
  /** `http://127.0.0.1:PORT` */
  readonly registryUrl: string;
  readonly repository: string;
  readonly tag: string;
}

/** Uploads all blobs, then the manifest under its tag. Rejects with the registry's answer when it refuses. */
export async function pushImage(target: PushTarget, image: ImageBlobs): Promise<void> {
  for (const blob of [image.config, ...image.layers]) await pushBlob(target, blob);
  await pushManifest(target, image.manifest, target.tag);
}

/** Uploads a manifest or an index under a tag or its digest. */
export async function pushManifest(
  { registryUrl, repository }: PushTarget,
  { mediaType, bytes }: Blob,
  reference: string,
): Promise<void> {
  const url = `${registryUrl}/v2/${repository}/manifests/${reference}`;
  await put(url, bytes, mediaType);
}

async function pushBlob({ registryUrl, repository }: PushTarget, blob: Blob): Promise<void> {
  const uploads = `${registryUrl}/v2/${repository}/blobs/uploads/`;
  const opened = await fetch(uploads, { method: 'POST' });
  const location = opened.headers.get('location');
  assert.ok(opened.ok && location !== null, `${uploads}: ${opened.status}`);
  const url = new URL(location, registryUrl);
  url.searchParams.set('digest', blob.digest);
  await put(url.href, blob.bytes, 'application/octet-stream');
}

async function put(url: string, body: Buffer, contentType: string): Promise<void> {
  const headers = { 'content-type': contentType };
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(body), headers });
  assert.ok(answer.ok, `PUT ${url}: ${answer.status} ${await answer.text()}`);
}
