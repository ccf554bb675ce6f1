/** Runs one container by plain API calls, for machines without a docker client. */
import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Bytes in front of each piece of output: stream, three zeros, length. */
const FRAME_HEADER_BYTES = 8;

/** Creates, starts, awaits and removes a container; answers what it wrote to its standard output. */
export async function runThroughApi(
  socketPath: string,
  image: string,
  command: readonly string[],
): Promise<string> {
  const call = (method: string, path: string, body?: unknown) =>
    callApi(socketPath, { method, path, body });
  const created = await call('POST', '/containers/create', { Image: image, Cmd: command });
  const { Id: id }: { Id: string } = JSON.parse(created.toString());
  await call('POST', `/containers/${id}/start`);
  await call('POST', `/containers/${id}/wait`);
  const log = await call('GET', `/containers/${id}/logs?stdout=1`);
  await call('DELETE', `/containers/${id}`);
  return textOfFrames(log).trimEnd();
}

function callApi(
  socketPath: string,
  { method, path, body }: { method: string; path: string; body: unknown },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const call = request({ socketPath, method, path, headers }, (response) => {
      buffer(response).then((answer) => {
        if ((response.statusCode ?? 0) < 400) resolve(answer);
        else reject(new Error(`${method} ${path}: ${answer.toString()}`));
      }, reject);
    });
    call.on('error', reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function textOfFrames(framed: Buffer): string {
  const pieces: Buffer[] = [];
  for (let at = 0; at + FRAME_HEADER_BYTES <= framed.length; ) {
    const end = at + FRAME_HEADER_BYTES + framed.readUInt32BE(at + 4);
    pieces.push(framed.subarray(at + FRAME_HEADER_BYTES, end));
    at = end;
  }
  return Buffer.concat(pieces).toString();
}
