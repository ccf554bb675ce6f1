/**
 * Uploads of blobs (distribution specification, "Pushing Blobs"): mounted from another repository where the
 * registry can, else sent in one piece; a broken upload goes on where the registry says that it stopped.
 */
import type { Descriptor } from '../../oci/image-spec.ts';
import type { BlobSource } from '../image-registry.ts';
import type { IncomingResponse } from './http-transport.ts';
import type { RegistryConnection } from './registry-connection.ts';
import { noUploadLocation, pullCancelled } from './registry-errors.ts';
import { delayBefore, pause, type RetryPolicy } from './retry.ts';

export interface UploadRequest {
  readonly connection: RegistryConnection;
  /** Repository within the registry. */
  readonly repository: string;
  readonly blob: Pick<Descriptor, 'digest' | 'size'>;
  readonly source: BlobSource;
  readonly policy: RetryPolicy;
  readonly signal: AbortSignal;
}

/** An upload that the registry has begun: where to send the rest, and how much is there. */
interface UploadSession {
  readonly location: string;
  readonly offset: number;
}

/** Whether the bytes were sent, or the registry found them in another of its repositories. */
export type UploadOutcome = 'uploaded' | 'mounted';

/** Brings the blob into the repository. Throws what the last try failed of; progress renews the number of tries. */
export async function uploadBlob(request: UploadRequest): Promise<UploadOutcome> {
  let session: UploadSession | undefined;
  for (let attempt = 2; ; attempt++) {
    const before = session?.offset ?? 0;
    try {
      session ??= await begin(request);
      if (session === undefined) return 'mounted';
      await sendRest(request, session);
      return 'uploaded';
    } catch (error) {
      await waitForNextTry(request, error, attempt);
    }
    if (session !== undefined) session = await whereItStopped(request, session);
    if ((session?.offset ?? 0) > before) attempt = 2;
  }
}

/** Throws the failure when there should be no other try. */
async function waitForNextTry(
  { policy, signal }: UploadRequest,
  failure: unknown,
  attempt: number,
): Promise<void> {
  if (signal.aborted) throw pullCancelled(failure);
  const delayMs = delayBefore(attempt, failure, policy);
  if (delayMs === undefined) throw failure;
  await pause(policy, delayMs, signal);
}

/** What tokens must allow to write to `repository`, and to read from another one of the same registry. */
export function pushScope(repository: string, mountFrom?: string): string {
  const own = `repository:${repository}:pull,push`;
  return mountFrom === undefined ? own : `${own} repository:${mountFrom}:pull`;
}

/** A new upload; undefined when the registry mounted the blob instead. */
async function begin(request: UploadRequest): Promise<UploadSession | undefined> {
  const { connection, repository, blob, source, signal } = request;
  const { mountFrom } = source;
  const query = new URLSearchParams(
    mountFrom === undefined ? {} : { mount: blob.digest, from: mountFrom },
  ).toString();
  const path = `v2/${repository}/blobs/uploads/${query === '' ? '' : `?${query}`}`;
  const scope = pushScope(repository, mountFrom);
  const response = await connection.send({ method: 'POST', path, scope, signal });
  response.body.resume();
  if (response.status === 201 && mountFrom !== undefined) return undefined;
  return { location: locationOf(response), offset: 0 };
}

/** In one `PUT` when nothing was sent yet (monolithic), else the rest as a chunk before an empty `PUT`. */
async function sendRest(request: UploadRequest, session: UploadSession): Promise<void> {
  const { connection, repository, blob, source, signal } = request;
  const { offset } = session;
  const scope = pushScope(repository);
  const body = { sizeBytes: blob.size - offset, open: () => source.open(offset) };
  const headers = { 'content-type': 'application/octet-stream' };
  if (offset === 0) {
    const path = withDigest(session.location, blob.digest);
    const done = await connection.send({ method: 'PUT', path, scope, headers, body, signal });
    done.body.resume();
    return;
  }
  const range = { ...headers, 'content-range': `${offset}-${blob.size - 1}` };
  const path = session.location;
  const patched = await connection.send({
    ...{ method: 'PATCH', path, scope, headers: range, body, signal },
  });
  patched.body.resume();
  const last = withDigest(locationOf(patched), blob.digest);
  const done = await connection.send({ method: 'PUT', path: last, scope, signal });
  done.body.resume();
}

/** Asks how much arrived; undefined when the registry has forgotten the upload or cannot say. */
async function whereItStopped(
  request: UploadRequest,
  session: UploadSession,
): Promise<UploadSession | undefined> {
  const { connection, repository, blob, signal } = request;
  try {
    const scope = pushScope(repository);
    const response = await connection.send({ path: session.location, scope, signal });
    response.body.resume();
    const last = /^(?:bytes=)?0-(\d+)$/.exec(String(response.headers['range'] ?? ''))?.[1];
    // `0-0` stands for an empty upload as well as for one byte: begin anew.
    const offset = last === undefined || last === '0' ? 0 : Number(last) + 1;
    if (offset >= blob.size || offset === 0) return undefined;
    return { location: locationOf(response), offset };
  } catch {
    return undefined;
  }
}

/** Where to go on; relative to the request it answers. */
function locationOf(response: IncomingResponse): string {
  const { location } = response.headers;
  if (location === undefined || !URL.canParse(location, response.url.href)) {
    throw noUploadLocation(response.url);
  }
  return new URL(location, response.url).href;
}

function withDigest(location: string, digest: string): string {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url.href;
}
