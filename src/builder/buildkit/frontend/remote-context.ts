/** Contexts that are no directory of the client: repositories, downloads, and archives on the client's input. */

import type { BuildContext } from '../../build-context.ts';
import type { DockerfileSource } from '../../solver.ts';
import { PULL_UPLOAD } from '../proto/session.ts';
import type { Session } from '../session/session-registry.ts';

/** A context that is complete, with what it says of its build. */
export interface ReceivedContext {
  readonly context: BuildContext;
  readonly dockerfile: DockerfileSource;
  readonly dockerignore: string;
  /** Removes it. */
  release(): Promise<void>;
}

/** Fetches `remote`, or without one unpacks the archive. Without a name the Dockerfile is the client's own. */
export type ReceiveContext = (
  wanted: { readonly remote: string | undefined; readonly dockerfile: string | undefined },
  from: { readonly body: AsyncIterable<Uint8Array>; readonly signal: AbortSignal },
) => Promise<ReceivedContext>;

/** Address that clients give to what they have on their input. */
const UPLOAD = /^http:\/\/buildkit-session\//;
const REMOTE = /^(?:https?|git|ssh):\/\/|^git@|^github\.com\//;

/** True when the context is not among the client's directories. */
export const isRemote = (context: string) => REMOTE.test(context);

/** Brings such a context here. */
export function receiveRemote(
  receive: ReceiveContext,
  wanted: {
    readonly context: string;
    readonly dockerfile: string | undefined;
    readonly session: Session;
    /** The archive, when the client does not have to be asked for it. */
    readonly uploaded: AsyncIterable<Uint8Array> | undefined;
  },
  signal: AbortSignal,
): Promise<ReceivedContext> {
  const { context, dockerfile, session, uploaded } = wanted;
  const gone = AbortSignal.any([signal, session.gone]);
  const isUpload = UPLOAD.test(context);
  const asked = () => (isUpload ? upload(session, new URL(context), gone) : nothing());
  const body = uploaded ?? asked();
  return receive({ remote: isUpload ? undefined : context, dockerfile }, { body, signal: gone });
}

/** What the client reads from its input. */
async function* upload(
  session: Session,
  address: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const metadata = new Map([
    ['urlpath', [address.pathname]],
    ['urlhost', [address.host]],
  ]);
  const call = session.open(PULL_UPLOAD, { metadata, signal });
  try {
    for await (const { data } of call.messages) yield data;
  } finally {
    call.cancel();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  yield* [];
}
