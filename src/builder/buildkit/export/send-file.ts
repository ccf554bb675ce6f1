/** Sends a file to the client, piece by piece. */
import { SEND_FILE } from '../proto/session.ts';
import type { Session } from '../session/session-registry.ts';
import type { Export } from './export-deps.ts';

/** Pieces are cut to this size: clients take no messages of more than a few megabytes. */
const PIECE_BYTES = 1024 * 1024;

/** Names the output on the client's side. */
const EXPORTER_ID = 'buildkit-attachable-exporter-id';

/** Metadata of a call that delivers an output. */
export const outputMetadata = ({ index }: Export): ReadonlyMap<string, readonly string[]> =>
  new Map([[EXPORTER_ID, [String(index)]]]);

/** Resolves once the client has all of it. */
export async function sendFile(
  session: Session,
  { output, details }: { readonly output: Export; readonly details: ReadonlyMap<string, string> },
  source: AsyncIterable<Uint8Array>,
): Promise<void> {
  const metadata = new Map(outputMetadata(output));
  for (const [name, value] of details) metadata.set(`exporter-md-${name}`, [value]);
  const call = session.open(SEND_FILE, { metadata, signal: output.signal });
  try {
    const received = (async () => {
      for await (const _ of call.messages);
    })();
    // A client that refuses ends the call: then there is no use in sending on.
    let refusal: { readonly error: unknown } | undefined;
    received.catch((error: unknown) => {
      refusal = { error };
    });
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        if (refusal !== undefined) throw refusal.error;
        await call.send({ data: chunk.subarray(at, at + PIECE_BYTES) });
      }
    }
    call.end();
    await received;
  } finally {
    call.cancel();
  }
}
