/** A real network in the test's own network namespace, and what is left of it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeHostDialer } from '../../../src/network/fake/fake-host-dialer.ts';
import { FakeHostListeners } from '../../../src/network/fake/fake-host-listeners.ts';
import type { NetworkSpec } from '../../../src/network/network-record.ts';
import type { NetworkStore } from '../../../src/network/network-store.ts';
import { openNetwork } from '../../../src/network/open-network.ts';
import type { Sandbox, SandboxService } from '../../../src/network/sandbox-service.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { NO_FAILPOINTS } from '../../../src/shared/failpoints.ts';
import type { NetworkId } from '../../../src/shared/ids.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { isPredefined } from '../../../src/shared/predefined-networks.ts';
import type { Completed } from '../../../src/sys/exec/command.ts';
import { run } from '../../../src/sys/exec/run.ts';
import { bindSocket } from '../../../src/sys/listening-socket.ts';
import { mountsUnder } from '../../../src/sys/mount/mount-table.ts';
import { RouteSocket } from '../../../src/sys/netlink/route-socket.ts';
import { withNetworkNamespace } from '../../../src/sys/ns/network-namespace.ts';
import { eventually } from '../eventually.ts';

/** What sandboxes hold on to. */
export interface Holdings {
  readonly ports: number;
  readonly mounts: number;
  readonly links: number;
  readonly descriptors: number;
}

/** A service with its host; disposing removes all of its sandboxes. */
export interface NetworkFixture extends AsyncDisposable {
  readonly service: SandboxService;
  /** The networks that `service` joins. */
  readonly networks: NetworkStore;
  /** What the machine cannot give. */
  readonly lacks: readonly string[];
  /** Makes a network and returns its id. */
  addNetwork(name: string): Promise<NetworkId>;
  readonly host: FakeHostListeners;
  /** Opens a second service on the same state, as an engine does that starts after a crash. */
  reopen(): Promise<SandboxService>;
  holdings(): Promise<Holdings>;
  /** Waits until the kernel has taken down, in the background, what was removed. */
  returnsTo(expected: Holdings): Promise<void>;
}

/** Opens a network below a temporary directory. */
export async function openTestNetwork(): Promise<NetworkFixture> {
  const dir = await mkdtemp(join(tmpdir(), 'wherry-network-'));
  const host = new FakeHostListeners();
  const services: SandboxService[] = [];
  const open = async () => {
    const opened = await openNetwork({
      bridgeIpv6: undefined,
      networksDir: join(dir, 'networks'),
      sandboxesDir: join(dir, 'sandboxes'),
      bridgeAddress: undefined,
      hostRoutes: [],
      resolvers: [],
      hostLoopback: false,
      remapsPrivileged: false,
      hostDialer: new FakeHostDialer(),
      hostAddress: '192.0.2.77',
      bridgeRange: undefined,
      addressPools: [],
      uplink: { mtu: 65520, nameserver: '10.0.2.3', cidr: '10.0.2.0/24', interfaceName: 'tap0' },
      hostListeners: host,
      clock: systemClock,
      failpoints: NO_FAILPOINTS,
      logger: silentLogger,
    });
    services.push(opened.sandboxes);
    return opened;
  };
  const { sandboxes: service, networks, lacks } = await open();
  return {
    service,
    networks,
    lacks,
    addNetwork: async (name) => (await networks.create(plainNetwork(name))).record.id,
    host,
    reopen: async () => (await open()).sandboxes,
    holdings: () => countHoldings(dir, host),
    returnsTo: async (expected) => {
      await eventually(async () => {
        assert.deepEqual(await countHoldings(dir, host), expected);
        return true;
      });
    },
    [Symbol.asyncDispose]: async () => {
      const removals = services.map(async (one) => {
        const ids = await one.list();
        return await Promise.allSettled(ids.map((id) => one.remove(id)));
      });
      // A service that was replaced fails where its successor was faster.
      await Promise.all(removals);
      const made = networks.list().filter(({ name }) => !isPredefined(name));
      await Promise.allSettled(made.map(({ id }) => networks.remove(id)));
      // The kernel takes links down in the background: the next test would count them as having been there.
      await eventually(() => !linkNames().some((name) => name.startsWith('veth')));
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A request for a network with nothing special. */
export function plainNetwork(name: string, changes: Partial<NetworkSpec> = {}): NetworkSpec {
  return {
    name,
    auxAddresses: {},
    options: {},
    ipamOptions: {},
    labels: {},
    internal: false,
    attachable: false,
    ...changes,
  };
}

function linkNames(): readonly string[] {
  return RouteSocket.with((routes) => routes.listLinks()).map(({ name }) => name);
}

async function countHoldings(dir: string, host: FakeHostListeners): Promise<Holdings> {
  return {
    ports: (await host.held()).length,
    mounts: (await mountsUnder(dir)).length,
    links: linkNames().length,
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

/** A TCP server inside of a sandbox, run by this process. */
export async function serveInside(
  sandbox: Sandbox,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const { fd } = withNetworkNamespace(sandbox.netnsPath, () =>
    bindSocket({ protocol: 'tcp', hostIp: '0.0.0.0', hostPort: port }),
  );
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((resolve) => server.listen({ fd }, resolve));
  return server;
}

/** Runs busybox in the network namespace of a sandbox. */
export function busyboxInside(sandbox: Sandbox, ...args: readonly string[]): Promise<Completed> {
  return run(
    { file: 'nsenter', args: [`--net=${sandbox.netnsPath}`, 'busybox', ...args] },
    { timeoutMs: 10_000 },
  );
}

/** The address of a sandbox on the bridge. */
export function addressOf(sandbox: Sandbox): string {
  return sandbox.endpoints[0]?.ipAddress ?? '';
}
