/** Sends directories to the client by fsutil's protocol: we list every entry, the client asks for contents. */
import { createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { EncodableOf } from '../proto/message.ts';
import { PACKET, SEND_TREE, type Stat } from '../proto/session.ts';
import { isPlainFile, toEntryMode } from '../session/entry-mode.ts';
import type { PacketCall } from '../session/receive-tree.ts';
import { receiverFailed } from '../session/session-errors.ts';
import type { Session } from '../session/session-registry.ts';
import type { Export } from './export-deps.ts';
import { outputMetadata } from './send-file.ts';

/** A directory here and where it goes on the client's side; empty for its own top. */
export interface SentTree {
  readonly dir: string;
  readonly prefix: string;
}

/** Resolves once the client has everything. `onProgress` gets the bytes of contents sent so far. */
export async function sendTrees(
  session: Session,
  output: Export,
  sent: { readonly trees: readonly SentTree[]; onProgress(bytes: number): void },
): Promise<void> {
  const metadata = new Map(outputMetadata(output)).set('buildkit-exporter-multi-platform', ['1']);
  const call = session.open(SEND_TREE, { metadata, signal: output.signal });
  try {
    const files = new Map<number, string>();
    const sender = { call, files, bytes: 0, onProgress: sent.onProgress };
    const served = serveRequests(sender);
    served.catch(() => call.cancel());
    const listed = list(sender, sent.trees);
    // When one of the two fails the other ends as well; the first failure is the reason.
    listed.catch(() => call.cancel());
    await Promise.all([served, listed]);
  } finally {
    call.cancel();
  }
}

interface Sender {
  readonly call: PacketCall;
  /** Paths of plain files by the number of their entry. */
  readonly files: Map<number, string>;
  bytes: number;
  onProgress(bytes: number): void;
}

async function list({ call, files }: Sender, trees: readonly SentTree[]): Promise<void> {
  let id = 0;
  for (const { dir, prefix } of trees) {
    for await (const { path, stat } of entries(dir, prefix)) {
      if (isPlainFile(stat.mode ?? 0)) files.set(id, path);
      id++;
      await call.send({ type: PACKET.stat, stat });
    }
  }
  await call.send({ type: PACKET.stat });
}

async function* entries(dir: string, prefix: string): AsyncGenerator<Walked> {
  if (prefix !== '') yield await entryOf(dir, prefix);
  yield* walk(dir, prefix);
}

interface Walked {
  /** Absolute, here. */
  readonly path: string;
  readonly stat: EncodableOf<typeof Stat>;
}

/** Every entry below `dir`, each directory before what is in it, names in order. Sockets are left out. */
async function* walk(dir: string, prefix: string): AsyncGenerator<Walked> {
  // Compared byte by byte, as the receiver does.
  const names = (await readdir(dir, { encoding: 'buffer' })).toSorted(Buffer.compare);
  for (const raw of names) {
    const path = join(dir, raw.toString());
    const shown = join(prefix, raw.toString());
    const stats = await lstat(path);
    if (stats.isSocket()) continue;
    yield await entryOf(path, shown);
    if (stats.isDirectory()) yield* walk(path, shown);
  }
}

async function entryOf(path: string, shown: string): Promise<Walked> {
  const stats = await lstat(path, { bigint: true });
  const mode = Number(stats.mode);
  const linkname = stats.isSymbolicLink() ? await readlink(path) : '';
  return {
    path,
    stat: {
      ...{ path: shown, mode: toEntryMode(mode), linkname },
      ...{ uid: Number(stats.uid), gid: Number(stats.gid), modTime: stats.mtimeNs },
      size: stats.isFile() ? Number(stats.size) : 0,
    },
  };
}

async function serveRequests(sender: Sender): Promise<void> {
  const { call, files } = sender;
  for await (const packet of call.messages) {
    if (packet.type === PACKET.error) throw receiverFailed(Buffer.from(packet.data).toString());
    if (packet.type === PACKET.fin) {
      await call.send({ type: PACKET.fin });
      call.end();
      return;
    }
    if (packet.type !== PACKET.request) continue;
    const path = files.get(packet.id);
    if (path === undefined) throw receiverFailed(`invalid file id ${packet.id}`);
    await sendContents(sender, packet.id, path);
  }
}

async function sendContents(sender: Sender, id: number, path: string): Promise<void> {
  for await (const chunk of createReadStream(path)) {
    const data = chunk as Buffer;
    await sender.call.send({ type: PACKET.data, id, data });
    sender.bytes += data.length;
    sender.onProgress(sender.bytes);
  }
  await sender.call.send({ type: PACKET.data, id });
}
