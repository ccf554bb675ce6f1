/**
 * Tells when descriptors are ready. All watches of a thread share one epoll(7) instance, which node's event loop watches:
 * one call fetches what happened to hundreds of sockets, and adding or ending a watch is one cheap call.
 */
import { checked, nativeFunction, type PollHandle, pollReadable } from './native.ts';

/** Called when a watched descriptor is ready. */
export type ReadyCallback = () => void;

/** A watch on a descriptor. It keeps the event loop alive until stopped or unreferenced. */
export interface DescriptorWatch {
  /** Ends the watch; the descriptor stays open. To be called before that is closed. Idempotent. */
  stop(): void;
  /** Lets the process end although the watch is on. */
  unref(): void;
}

const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;
const EPOLLOUT = 4;
/** Looked at in one turn of the event loop. */
const EVENTS_PER_TURN = 256;
/** `struct epoll_event` is packed on x86-64 only (epoll_ctl(2)). */
const [EVENT_BYTES, DATA_OFFSET] = process.arch === 'x64' ? [12, 4] : [16, 8];

const cEpollCreate = nativeFunction('int epoll_create1(int flags)');
const cEpollCtl = nativeFunction('int epoll_ctl(int epoll, int operation, int fd, void *event)');
const cEpollWait = nativeFunction(
  'int epoll_wait(int epoll, void *events, int count, int timeout)',
);

/**
 * Calls `onReady` whenever the descriptor is readable or writable (level-triggered), or broken, until `stop`.
 * A descriptor can have one watch, and none when a node stream owns it.
 */
export function watchDescriptor(
  fd: number,
  interest: 'readable' | 'writable' | 'both',
  onReady: ReadyCallback,
): DescriptorWatch {
  watches ??= new WatchSet();
  return watches.add(fd, interest, onReady);
}

let watches: WatchSet | undefined;

class WatchSet {
  readonly #epollFd = checked(cEpollCreate(EPOLL_CLOEXEC), 'epoll_create1');
  readonly #poll: PollHandle;
  readonly #callbacks = new Map<number, ReadyCallback>();
  /** The watch of each descriptor. */
  readonly #names = new Map<number, number>();
  readonly #events = Buffer.alloc(EVENTS_PER_TURN * EVENT_BYTES);
  readonly #event = Buffer.alloc(EVENT_BYTES);
  #referenced = 0;
  /** Names a watch in its events: a number of a descriptor may belong to another one by the time they are read. */
  #lastName = 0;

  constructor() {
    this.#poll = pollReadable(this.#epollFd, () => this.#dispatch());
    this.#poll.unref();
  }

  add(
    fd: number,
    interest: 'readable' | 'writable' | 'both',
    onReady: ReadyCallback,
  ): DescriptorWatch {
    this.#lastName = (this.#lastName + 1) >>> 0;
    const name = this.#lastName;
    const readable = interest === 'writable' ? 0 : EPOLLIN;
    this.#event.writeUInt32LE(readable | (interest === 'readable' ? 0 : EPOLLOUT), 0);
    this.#event.writeUInt32LE(name, DATA_OFFSET);
    checked(cEpollCtl(this.#epollFd, EPOLL_CTL_ADD, fd, this.#event), 'epoll_ctl');
    this.#callbacks.set(name, onReady);
    this.#names.set(fd, name);
    this.#reference(1);
    let isReferenced = true;
    const unref = () => {
      if (isReferenced) this.#reference(-1);
      isReferenced = false;
    };
    return {
      stop: () => {
        if (!this.#callbacks.delete(name)) return;
        this.#forget(fd, name);
        unref();
      },
      unref,
    };
  }

  #dispatch(): void {
    const count = cEpollWait(this.#epollFd, this.#events, EVENTS_PER_TURN, 0);
    for (let at = 0; at < count; at++) {
      const name = this.#events.readUInt32LE(at * EVENT_BYTES + DATA_OFFSET);
      // A callback before this one may have ended the watch.
      this.#callbacks.get(name)?.();
    }
  }

  /** A descriptor that was closed has left the set by itself, and its number may have become another one's. */
  #forget(fd: number, name: number): void {
    if (this.#names.get(fd) !== name) return;
    this.#names.delete(fd);
    cEpollCtl(this.#epollFd, EPOLL_CTL_DEL, fd, this.#event);
  }

  #reference(change: 1 | -1): void {
    this.#referenced += change;
    if (this.#referenced === 0) this.#poll.unref();
    else if (this.#referenced === 1 && change === 1) this.#poll.ref();
  }
}
