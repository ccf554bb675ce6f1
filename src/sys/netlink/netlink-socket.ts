/**
 * A synchronous connection to the kernel's routing interface (`rtnetlink(7)`). The kernel handles a request
 * inside of the `send` call, so its answer waits in the receive queue when `send` returns: no event loop is
 * needed, and a socket can be used within `withNetworkNamespace`.
 */
import { closeSync } from 'node:fs';
import { checked, nativeFunction } from '../native.ts';
import { AddressFamily, openSocket, SocketType } from '../socket-calls.ts';
import { answerMissing, requestRefused } from './netlink-errors.ts';
import {
  decodeAcknowledgement,
  decodeMessages,
  encodeRequest,
  MessageType,
  type NetlinkMessage,
  type NetlinkRequest,
} from './netlink-message.ts';

const nativeSend = nativeFunction('long send(int fd, void *bytes, size_t length, int flags)');
const nativeReceive = nativeFunction('long recv(int fd, void *bytes, size_t length, int flags)');
const nativeSetOption = nativeFunction(
  'int setsockopt(int fd, int level, int name, void *value, uint32_t length)',
);

const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** Longest datagram that the kernel puts together for a dump. */
const RECEIVE_BYTES = 32 * 1024;
const ANSWER_TIMEOUT_SECONDS = 5;

/** A request that waits for its acknowledgement, with what was answered so far. */
interface Pending {
  readonly request: NetlinkRequest;
  readonly answers: NetlinkMessage[];
  finished: boolean;
}

/** Belongs for good to the network namespace that the thread was in when it was opened. Close it after use. */
export class NetlinkSocket {
  readonly #fd: number;
  #sequence = 0;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Opens a socket in the thread's current network namespace. */
  static open(): NetlinkSocket {
    const options = { protocol: NETLINK_ROUTE };
    const socket = new NetlinkSocket(openSocket(AddressFamily.netlink, SocketType.raw, options));
    socket.#configure();
    return socket;
  }

  /**
   * Sends all requests with one system call; the kernel takes them in order. Returns what it answered to each,
   * acknowledgements left out. The first refusal is thrown, but the requests behind it were tried as well.
   */
  transact(requests: readonly NetlinkRequest[]): NetlinkMessage[][] {
    const pending = new Map<number, Pending>();
    const encoded = requests.map((request) => {
      this.#sequence += 1;
      pending.set(this.#sequence, { request, answers: [], finished: false });
      return encodeRequest(request, this.#sequence);
    });
    const bytes = Buffer.concat(encoded);
    checked(nativeSend(this.#fd, bytes, bytes.length, 0), 'send', 'netlink');
    this.#receiveAll(pending);
    return [...pending.values()].map((entry) => entry.answers);
  }

  /** One request; see `transact`. */
  request(request: NetlinkRequest): NetlinkMessage[] {
    return this.transact([request])[0] ?? [];
  }

  close(): void {
    closeSync(this.#fd);
  }

  #configure(): void {
    const one = Buffer.from([1, 0, 0, 0]);
    // Both only shorten or explain answers: kernels that lack them answer well enough.
    nativeSetOption(this.#fd, SOL_NETLINK, NETLINK_CAP_ACK, one, one.length);
    nativeSetOption(this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, one, one.length);
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(ANSWER_TIMEOUT_SECONDS), 0);
    nativeSetOption(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
  }

  #receiveAll(pending: ReadonlyMap<number, Pending>): void {
    const buffer = Buffer.allocUnsafe(RECEIVE_BYTES);
    let refusal: unknown;
    for (const entry of pending.values()) {
      while (!entry.finished) {
        for (const message of this.#receive(buffer, entry.request.purpose)) {
          // Every answer is filed, those behind a refusal too: nobody would find them waiting otherwise.
          const refused = settle(message, pending.get(message.sequence));
          refusal ??= refused;
        }
      }
    }
    if (refusal !== undefined) throw refusal;
  }

  #receive(buffer: Buffer, purpose: string): NetlinkMessage[] {
    try {
      const length = checked(nativeReceive(this.#fd, buffer, buffer.length, 0), 'recv', 'netlink');
      // The answers outlive the buffer, which the next call overwrites.
      return decodeMessages(Buffer.from(buffer.subarray(0, length)));
    } catch (error) {
      throw answerMissing(purpose, error);
    }
  }
}

/** Files a message with its request. Returns the error when it is a refusal. */
function settle(message: NetlinkMessage, entry: Pending | undefined): unknown {
  if (entry === undefined) return undefined;
  if (message.type === MessageType.done) {
    entry.finished = true;
    return undefined;
  }
  if (message.type !== MessageType.error) {
    entry.answers.push(message);
    return undefined;
  }
  entry.finished = true;
  const acknowledgement = decodeAcknowledgement(message);
  if (acknowledgement.errno === 0) return undefined;
  return requestRefused(entry.request.purpose, acknowledgement);
}
