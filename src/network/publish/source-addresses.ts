/**
 * Keeps the address of a client on its way through a published port: the connection to the container is made in the
 * client's name. The container's answers go to an address outside; a mark of the connection brings them back to us.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { maskOf, parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import {
  type BorrowedSource,
  canBorrowSource,
  type InternetPeer,
} from '../../sys/transparent-socket.ts';
import type { ForwardTarget } from './forwarder.ts';

/** Mark of what we send; a route must not follow from it. */
const SENT_MARK = 0x57480001;
/** Mark of connections, and of the answers within them. */
const ANSWER_MARK = 0x57480002;
const TABLE = 87;
const TIMEOUT_MS = 10_000;
const LOOPBACK_NET = 127;

const RULES = `table ip wherry_source
delete table ip wherry_source
table ip wherry_source {
  chain sent {
    type filter hook output priority mangle; policy accept;
    meta mark ${SENT_MARK} ct mark set ${ANSWER_MARK}
  }
  chain answered {
    type filter hook prerouting priority mangle; policy accept;
    ct mark ${ANSWER_MARK} ct direction reply meta mark set ct mark
  }
}
`;

/** Decides for each client in whose name the container is spoken to. */
export class SourceAddresses {
  readonly #isKept: boolean;

  private constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  /** Sets up the way back in the thread's network namespace, where the kernel offers what it takes. */
  static async open(logger: Logger): Promise<SourceAddresses> {
    try {
      if (!canBorrowSource(SENT_MARK)) throw new Error('the kernel refuses IP_TRANSPARENT');
      const command = { file: 'nft', args: ['-f', '-'] };
      const completed = await run(command, { timeoutMs: TIMEOUT_MS, stdin: RULES });
      expectSuccess(completed, 'load the rules for published ports');
      RouteSocket.with((routes) => routes.deliverHere({ mark: ANSWER_MARK, table: TABLE }));
      return new SourceAddresses(true);
    } catch (error) {
      const reason = messageOf(error);
      logger.warn('containers see their gateway as the client of published ports', { reason });
      return SourceAddresses.none();
    }
  }

  /** Containers see their gateway in place of every client. */
  static none(): SourceAddresses {
    return new SourceAddresses(false);
  }

  /**
   * The source of a connection to `target`; undefined for the gateway's: the client is on the host's loopback, or
   * has an address that the container would look for on its own network.
   */
  of(client: InternetPeer | undefined, target: ForwardTarget): BorrowedSource | undefined {
    if (!this.#isKept || client === undefined) return undefined;
    if (client.address >>> 24 === LOOPBACK_NET || isNeighbour(client.address, target)) {
      return undefined;
    }
    return { ...client, mark: SENT_MARK };
  }
}

function isNeighbour(address: number, { ipAddress, prefixLength }: ForwardTarget): boolean {
  const mask = maskOf(prefixLength);
  return ((parseIpv4(ipAddress) ?? 0) & mask) >>> 0 === (address & mask) >>> 0;
}
