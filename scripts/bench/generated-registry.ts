/** A registry with one large image that is made while it is sent: nothing of it is on disk or in memory. */
import { randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Digest, DigestCounter, digestOf } from '../../src/oci/digest.ts';
import { OCI_CONFIG, OCI_LAYER, OCI_MANIFEST } from '../../src/oci/media-types.ts';
import { tarMember } from '../../test/support/layer-tar.ts';
import { ARCHITECTURE } from '../image/image-archive.ts';

const BLOCK = randomBytes(1024 * 1024);

/** A layer with one file of so many blocks. */
function* layerOf(name: string, blocks: number): Generator<Buffer> {
  const header = tarMember({ name });
  // The size field of the header, and its checksum over everything (POSIX ustar).
  header.write(`${(blocks * BLOCK.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  yield header;
  for (let index = 0; index < blocks; index++) yield BLOCK;
  yield Buffer.alloc(1024);
}

interface Layer {
  readonly digest: Digest;
  readonly size: number;
  readonly open: () => Iterable<Buffer>;
}

/** Serves an image of `layers` layers with `megabytes` each; answers its reference. */
export async function serveGeneratedImage(
  layers: number,
  megabytes: number,
): Promise<{ readonly reference: string } & AsyncDisposable> {
  const made = Array.from({ length: layers }, (_, index): Layer => {
    const open = () => layerOf(`file-${index}`, megabytes);
    const counter = new DigestCounter();
    for (const chunk of open()) counter.update(chunk);
    return { digest: counter.digest(), size: counter.sizeBytes, open };
  });
  const diffIds = made.map(({ digest }) => digest);
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = Buffer.from(JSON.stringify({ architecture: ARCHITECTURE, os: 'linux', rootfs }));
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: OCI_MANIFEST },
      config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
      layers: made.map(({ digest, size }) => ({ mediaType: OCI_LAYER, digest, size })),
    }),
  );
  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    const layer = made.find(({ digest }) => url.endsWith(digest));
    if (layer !== undefined) {
      response.setHeader('content-length', layer.size);
      await pipeline(Readable.from(layer.open()), response);
    } else if (url.includes('/manifests/')) {
      response.setHeader('content-type', OCI_MANIFEST);
      response.end(manifest);
    } else response.end(url.includes('/blobs/') ? config : '{}');
  };
  const server = createServer((request, response) => {
    answer(request.url ?? '', response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    reference: `127.0.0.1:${(server.address() as AddressInfo).port}/bench/large:1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
