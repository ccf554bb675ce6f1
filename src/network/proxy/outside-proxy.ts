/**
 * Takes connections of containers that another place than the uplink leads to, and has the host process make them:
 * to the host itself, and to everything outside where there is no uplink. The container notices nothing of it.
 */
import { messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { expectSuccess, run } from '../../sys/exec/run.ts';
import { bindSocket } from '../../sys/listening-socket.ts';
import { parseIpv4 } from '../../sys/netlink/ipv4.ts';
import { RouteSocket } from '../../sys/netlink/route-socket.ts';
import { originalTargetOf, peerOf } from '../../sys/transparent-socket.ts';
import type { HostDialer } from '../host-dialer.ts';
import type { NetworkStore } from '../network-store.ts';
import type { HostListeners } from '../port-publisher.ts';
import { TcpForwarder } from '../publish/tcp-forwarder.ts';
import { chooseTargets } from './choose-targets.ts';
import type { HostAccess } from './host-access.ts';
import { NameRelay } from './name-relay.ts';
import { HOST_GATE, proxyRules, RELAY_ADDRESS } from './proxy-rules.ts';

/** What the proxy works with. */
export interface OutsideProxyOptions {
  readonly dialer: HostDialer;
  readonly hostListeners: HostListeners;
  readonly hasUplink: boolean;
  readonly hostAddress: string;
  /** Name servers of the host. */
  readonly resolvers: readonly string[];
  readonly networks: Pick<NetworkStore, 'list'>;
  readonly access: HostAccess;
  readonly logger: Logger;
}

const RULES_TIMEOUT_MS = 10_000;

/**
 * Sets the proxy up for the life of the engine. False where the kernel offers no packet filter: then the host is
 * reached by its own addresses only, and without an uplink nothing outside.
 */
export async function openOutsideProxy(options: OutsideProxyOptions): Promise<boolean> {
  const { hasUplink, hostAddress, resolvers, logger } = options;
  try {
    RouteSocket.with((routes) => {
      routes.addLoopbackAddress(parseIpv4(HOST_GATE) ?? 0);
      if (!hasUplink) routes.addLoopbackAddress(parseIpv4(RELAY_ADDRESS) ?? 0);
    });
    const { fd, hostPort } = bindSocket({ protocol: 'tcp', hostIp: HOST_GATE, hostPort: 0 });
    TcpForwarder.listen(fd, (clientFd) => dialFor(clientFd, options)).unref();
    if (!hasUplink) await NameRelay.open(options.hostListeners, resolvers);
    const stdin = proxyRules({ port: hostPort, hasUplink, hostAddress });
    const command = { file: 'nft', args: ['-f', '-'] };
    expectSuccess(
      await run(command, { timeoutMs: RULES_TIMEOUT_MS, stdin }),
      'load the rules of the proxy',
    );
    return true;
  } catch (error) {
    const reason = messageOf(error);
    logger.warn('containers do not reach the loopback of the host: no packet filter', { reason });
    return false;
  }
}

/** The descriptor of a connection to where the client wanted to go. Rejects when it must not or cannot be. */
async function dialFor(clientFd: number, options: OutsideProxyOptions): Promise<number> {
  const { dialer, networks, access } = options;
  const client = peerOf(clientFd);
  const wanted = originalTargetOf(clientFd);
  const view = {
    ...options,
    networks: networks.list(),
    isGranted: (ipAddress: string) => access.isGranted(ipAddress),
  };
  const targets =
    client === undefined || wanted === undefined ? [] : chooseTargets(client, wanted, view);
  let refusal: unknown = new Error('this way is closed');
  for (const target of targets) {
    try {
      return await dialer.open(target);
    } catch (error) {
      refusal = error;
    }
  }
  throw refusal;
}
