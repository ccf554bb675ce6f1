/**
 * Receives a directory of a client over its session, by fsutil's protocol: the client sends one packet for each entry
 * of the tree, in order; we ask for the contents of those files that the directory here does not have yet; a final
 * packet ends the transfer. What a former transfer left is kept where it is the same, and removed where it is gone.
 */
import type { Stats } from 'node:fs';
import {
  chmod,
  link,
  lstat,
  lutimes,
  mkdir,
  open,
  readdir,
  rm,
  symlink,
  unlink,
  utimes,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { OpenCall } from '../grpc/grpc-client.ts';
import type { EncodableOf, MessageOf } from '../proto/message.ts';
import { PACKET, type Packet, type Stat } from '../proto/session.ts';
import { isPlainFile, kindOfEntry, permissionBits } from './entry-mode.ts';
import { badEntry, senderFailed, unexpectedData } from './session-errors.ts';

type Entry = MessageOf<typeof Stat>;
export type PacketCall = OpenCall<EncodableOf<typeof Packet>, MessageOf<typeof Packet>>;

export interface ReceiveOptions {
  /** The directory, which exists and which nobody else uses. */
  readonly dir: string;
  /** Bytes received so far. */
  onProgress(bytes: number): void;
}

/** Brings `dir` to what the client sends. Resolves to the bytes of contents that had to be sent. */
export async function receiveTree(call: PacketCall, options: ReceiveOptions): Promise<number> {
  const receiver = new TreeReceiver(call, options);
  try {
    return await receiver.run();
  } finally {
    await receiver.close();
    call.cancel();
  }
}

/** Contents are collected up to this size before they are written. */
const WRITE_BYTES = 1024 * 1024;
/** Changes of the tree that are under way at the same time. */
const WIDTH = 32;

interface WantedFile {
  readonly entry: Entry;
  readonly path: string;
  chunks: Uint8Array[];
  pendingBytes: number;
  /** Set once the contents did not fit into one write. */
  handle: Awaited<ReturnType<typeof open>> | undefined;
}

class TreeReceiver {
  readonly #call: PacketCall;
  readonly #options: ReceiveOptions;
  readonly #wanted = new Map<number, WantedFile>();
  /** Directories of this transfer, by path; the root is the empty path. */
  readonly #directories = new Map<string, Entry | undefined>([['', undefined]]);
  readonly #names = new Map<string, Set<string>>([['', new Set()]]);
  readonly #busy = new Set<Promise<void>>();
  #failure: unknown;
  #bytes = 0;
  #nextId = 0;
  #isListed = false;
  #isFinished = false;
  readonly #links: { path: string; target: string }[] = [];

  constructor(call: PacketCall, options: ReceiveOptions) {
    this.#call = call;
    this.#options = options;
  }

  async run(): Promise<number> {
    for await (const packet of this.#call.messages) {
      if (this.#failure !== undefined) throw this.#failure;
      if (packet.type === PACKET.fin) break;
      await this.#take(packet);
      const isDone = this.#isListed && this.#wanted.size === 0 && this.#busy.size === 0;
      if (isDone && !this.#isFinished) await this.#finish();
    }
    if (this.#failure !== undefined) throw this.#failure;
    return this.#bytes;
  }

  async #take(packet: MessageOf<typeof Packet>): Promise<void> {
    switch (packet.type) {
      case PACKET.error:
        throw senderFailed(Buffer.from(packet.data).toString());
      case PACKET.data:
        return await this.#data(packet);
      case PACKET.stat:
        if (packet.stat !== undefined) return await this.#entry(packet.stat);
        this.#isListed = true;
        return await this.#settled();
      default:
    }
  }

  /** Whatever is still open after a failure. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#busy]);
    for (const { handle } of this.#wanted.values()) await handle?.close();
  }

  async #finish(): Promise<void> {
    this.#isFinished = true;
    await this.#removeRest();
    // Writing into a directory changes its time, so those come last, the deepest first.
    for (const [path, entry] of [...this.#directories].reverse()) {
      if (entry !== undefined) await setTimes(join(this.#options.dir, path), entry);
    }
    await this.#call.send({ type: PACKET.fin });
    this.#call.end();
  }

  async #entry(entry: Entry): Promise<void> {
    const id = this.#nextId++;
    const parent = this.#accept(entry);
    this.#names.get(parent)?.add(entry.path.slice(parent === '' ? 0 : parent.length + 1));
    const path = join(this.#options.dir, entry.path);
    const kind = kindOfEntry(entry.mode);
    if (kind === 'directory') {
      this.#directories.set(entry.path, entry);
      this.#names.set(entry.path, new Set());
      await makeDirectory(path, entry);
      return;
    }
    await this.#start(async () => {
      if (kind === 'symlink') await makeLink(path, entry);
      else if (isPlainFile(entry.mode) && entry.linkname !== '') await this.#hardlink(path, entry);
      else if (isPlainFile(entry.mode)) await this.#file(id, path, entry);
    });
  }

  /** The parent of an entry that may be there. Throws for paths with tricks and for entries out of order. */
  #accept({ path }: Entry): string {
    const parts = path.split('/');
    const isPlain = parts.every((part) => part !== '' && part !== '.' && part !== '..');
    const parent = parts.slice(0, -1).join('/');
    if (!isPlain || path.includes('\0') || !this.#directories.has(parent)) throw badEntry(path);
    if (this.#names.get(parent)?.has(parts.at(-1) ?? '') === true) throw badEntry(path);
    return parent;
  }

  async #file(id: number, path: string, entry: Entry): Promise<void> {
    const stats = await lstat(path).catch(() => undefined);
    if (stats !== undefined && isSameFile(stats, entry)) return;
    if (stats !== undefined) await rm(path, { recursive: true, force: true });
    const wanted = { entry, path, chunks: [], pendingBytes: 0, handle: undefined };
    this.#wanted.set(id, wanted);
    await this.#call.send({ type: PACKET.request, id });
  }

  /** The file that it shares its contents with has come before. */
  async #hardlink(path: string, { linkname }: Entry): Promise<void> {
    const target = linkname.replace(/^\/+/, '');
    const parts = target.split('/');
    if (parts.includes('..') || !this.#directories.has(parts.slice(0, -1).join('/'))) {
      throw badEntry(linkname);
    }
    this.#links.push({ path, target: join(this.#options.dir, target) });
  }

  async #data({ id, data }: MessageOf<typeof Packet>): Promise<void> {
    const wanted = this.#wanted.get(id);
    if (wanted === undefined) throw unexpectedData(id);
    if (data.length === 0) {
      this.#wanted.delete(id);
      await this.#start(() => completeFile(wanted));
      if (this.#wanted.size === 0) await this.#settled();
      return;
    }
    this.#bytes += data.length;
    this.#options.onProgress(this.#bytes);
    wanted.chunks.push(data);
    wanted.pendingBytes += data.length;
    if (wanted.pendingBytes >= WRITE_BYTES) await flush(wanted);
  }

  /** Does `work` beside what comes next, as long as not too much is under way. */
  async #start(work: () => Promise<void>): Promise<void> {
    const job = work()
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#busy.delete(job));
    this.#busy.add(job);
    if (this.#busy.size >= WIDTH) await Promise.race(this.#busy);
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#busy);
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Removes what a former transfer brought and this one did not name. */
  async #removeRest(): Promise<void> {
    for (const [path, names] of this.#names) {
      const dir = join(this.#options.dir, path);
      for (const name of await readdir(dir)) {
        if (!names.has(name)) await rm(join(dir, name), { recursive: true, force: true });
      }
    }
    for (const { path, target } of this.#links) {
      await rm(path, { recursive: true, force: true });
      await link(target, path);
    }
  }
}

async function makeDirectory(path: string, entry: Entry): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats !== undefined && !stats.isDirectory()) await unlink(path);
  if (stats === undefined || !stats.isDirectory()) await mkdir(path, { mode: 0o700 });
  // The engine writes into it whatever the client's own may do; see `finish` for its time.
  await chmod(path, permissionBits(entry.mode));
}

async function makeLink(path: string, entry: Entry): Promise<void> {
  await rm(path, { recursive: true, force: true });
  await symlink(entry.linkname, path);
  const seconds = toSeconds(entry.modTime);
  await lutimes(path, seconds, seconds);
}

async function flush(wanted: WantedFile): Promise<void> {
  wanted.handle ??= await open(wanted.path, 'wx', 0o600);
  const { chunks } = wanted;
  wanted.chunks = [];
  wanted.pendingBytes = 0;
  if (chunks.length > 0) await wanted.handle.writev(chunks);
}

async function completeFile(wanted: WantedFile): Promise<void> {
  await flush(wanted);
  const { handle, entry } = wanted;
  if (handle === undefined) return;
  try {
    await handle.chmod(permissionBits(entry.mode));
    const seconds = toSeconds(entry.modTime);
    await handle.utimes(seconds, seconds);
  } finally {
    wanted.handle = undefined;
    await handle.close();
  }
}

async function setTimes(path: string, entry: Entry): Promise<void> {
  const seconds = toSeconds(entry.modTime);
  await utimes(path, seconds, seconds);
}

/** Microseconds are kept: what node can set and read back the same. */
const toSeconds = (ns: bigint) => Number(ns / 1000n) / 1e6;

function isSameFile(stats: Stats, entry: Entry): boolean {
  return (
    stats.isFile() &&
    stats.size === entry.size &&
    (stats.mode & 0o7777) === permissionBits(entry.mode) &&
    Math.abs(stats.mtimeMs - Number(entry.modTime / 1000n) / 1e3) < 0.002
  );
}
