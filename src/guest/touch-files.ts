/** Makes the guest's kernel report changes that were made on the host: it tells programs only of what happens in the guest. */
import { constants } from 'node:fs';
import { chmod, type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import * as v from 'valibot';
import { LineDecoder } from '../handshake/line-codec.ts';

const messageSchema = v.object({
  hold: v.optional(v.array(v.string()), []),
  release: v.optional(v.array(v.string()), []),
  touch: v.optional(v.array(v.string()), []),
});

/** `O_PATH`: a name for the inode, without opening it. Node has no constant of it. */
const O_PATH = 0o10000000;
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const ANYTHING = O_PATH | constants.O_NOFOLLOW;
const PERMISSIONS = 0o7777;

/**
 * Serves until the stream ends. `touch` makes an event for each path. `hold` keeps a directory in the kernel's memory: 9p
 * gives it a new inode whenever it was forgotten, and events of the new one do not reach who watches the old one.
 */
export async function touchFiles(stream: Readable): Promise<void> {
  const decoder = new LineDecoder();
  const held = new Map<string, FileHandle>();
  try {
    for await (const chunk of stream) {
      for (const value of decoder.push(chunk)) {
        const { hold, release, touch } = v.parse(messageSchema, value);
        for (const path of release) await letGo(held, path);
        for (const path of hold) await keep(held, path);
        for (const path of touch) await touchFile(path);
      }
    }
  } finally {
    for (const path of [...held.keys()]) await letGo(held, path);
  }
}

async function keep(held: Map<string, FileHandle>, path: string): Promise<void> {
  await letGo(held, path);
  const handle = await tryOpen(path, DIRECTORY);
  if (handle !== undefined) held.set(path, handle);
}

async function letGo(held: Map<string, FileHandle>, path: string): Promise<void> {
  const handle = held.get(path);
  held.delete(path);
  await handle?.close();
}

/**
 * Sets the permissions that it has already, which nothing but the inode's time tells. By the open inode, not by the name:
 * a container could put another file there meanwhile.
 */
async function touchFile(path: string): Promise<void> {
  const handle = await tryOpen(path, ANYTHING);
  if (handle === undefined) return;
  try {
    const { mode } = await handle.stat();
    await chmod(`/proc/self/fd/${handle.fd}`, mode & PERMISSIONS);
  } catch {
    // A link, somebody else's file, or gone by now: no event is possible.
  } finally {
    await handle.close();
  }
}

/** What is gone by now gets its event from the next message. */
function tryOpen(path: string, flags: number): Promise<FileHandle | undefined> {
  return open(path, flags).catch(() => undefined);
}
