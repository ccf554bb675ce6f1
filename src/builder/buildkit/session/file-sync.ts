/** Asks a client for a directory. */
import type { ContextWant } from '../../build-context.ts';
import { DIFF_COPY } from '../proto/session.ts';
import { receiveTree } from './receive-tree.ts';
import type { Session } from './session-registry.ts';

/** Which directory, and what of it. */
export interface SyncRequest {
  /** As the client names it: `context`, `dockerfile`, a named context. */
  readonly name: string;
  readonly include?: ContextWant['include'];
  readonly exclude?: readonly string[];
  /** Paths of which only these and what links lead to are wanted. */
  readonly followPaths?: readonly string[];
  /** Directory to bring up to date. */
  readonly dir: string;
  onProgress(bytes: number): void;
}

/** Resolves to the bytes that had to be sent. Rejects with `cancelled` when the client is gone. */
export function syncDirectory(
  session: Session,
  request: SyncRequest,
  signal: AbortSignal,
): Promise<number> {
  const metadata = new Map<string, readonly string[]>();
  const put = (name: string, values: readonly string[] | undefined) => {
    if (values === undefined || values.length === 0) return;
    const isEncoded = values.some((value) => /[^ -~]/.test(value));
    metadata.set(name, isEncoded ? values.map(queryEscape) : values);
    if (isEncoded) metadata.set(`${name}-encoded`, ['1']);
  };
  put('dir-name', [request.name]);
  put('include-patterns', request.include);
  put('exclude-patterns', request.exclude);
  put('followpaths', request.followPaths);
  const call = session.open(DIFF_COPY, { metadata, signal });
  return receiveTree(call, request);
}

/** As Go's `url.QueryEscape`. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');
}
