/** The network of a container that is about to start. */
import type { Sandbox } from '../../network/sandbox-service.ts';
import type { NetworkNamespace } from '../../runtime/spec-builder.ts';
import type { CleanupStack } from '../../shared/cleanup-stack.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument, NetworkFacts } from './container-document.ts';
import { liveStatus } from './container-status.ts';
import { endpointRequests } from './endpoint-requests.ts';
import { networkOfItself, networkOfMissing, networkOfStopped } from './namespace-modes.ts';
import { parseNetworkMode, publishRequests } from './network-mode.ts';

/** Where the process will be, and what is known of it there. */
export interface JoinedNetwork {
  readonly namespace: NetworkNamespace;
  readonly facts: NetworkFacts | undefined;
  /** The container whose network it is, when it is another one's: its names count, too. */
  readonly owner?: ContainerDocument;
}

/** Makes the container's sandbox, or finds the namespace that it shares. Registers what undoes it. */
export async function joinNetwork(
  deps: ContainerDeps,
  document: ContainerDocument,
  undo: CleanupStack,
): Promise<JoinedNetwork> {
  const mode = parseNetworkMode(document.hostConfig.NetworkMode);
  if (mode.kind === 'host') return { namespace: { kind: 'host' }, facts: undefined };
  if (mode.kind === 'container') return joinContainer(deps, document, mode.ref);
  const networks = endpointRequests(document, deps.sandboxes.networks());
  const nameservers = document.hostConfig.Dns ?? [];
  const sandbox = await deps.sandboxes.create({
    containerId: document.id,
    containerName: document.name,
    mode: networks.length === 0 ? 'none' : 'bridge',
    networks,
    hostname: document.config.Hostname ?? '',
    hostAccess: asksForHost(document.hostConfig.ExtraHosts ?? []),
    publish: networks.length === 0 ? [] : publishRequests(document.config, document.hostConfig),
    ...(nameservers.length === 0 ? {} : { nameservers }),
  });
  undo.defer(() => deps.sandboxes.remove(document.id));
  return { namespace: { kind: 'path', path: sandbox.netnsPath }, facts: networkFacts(sandbox) };
}

/** The way to the host is open to containers that have a name for it. */
function asksForHost(extraHosts: readonly string[]): boolean {
  return extraHosts.some((text) => /[:=]host-gateway$/.test(text));
}

function joinContainer(
  deps: ContainerDeps,
  document: ContainerDocument,
  ref: string,
): JoinedNetwork {
  const other = deps.registry.tryResolve(ref);
  if (other === undefined) throw networkOfMissing(ref);
  if (other.id === document.id) throw networkOfItself();
  const live = liveStatus(other.status);
  if (live === undefined) throw networkOfStopped(other.name, other.status.state);
  const path = live.network?.netnsPath;
  const namespace =
    path === undefined ? { kind: 'host' as const } : { kind: 'path' as const, path };
  return { namespace, facts: live.network, owner: other };
}

/** The part of a sandbox that the document keeps. */
export function networkFacts(sandbox: Sandbox): NetworkFacts {
  const { netnsPath, endpoints, published } = sandbox;
  return { netnsPath, endpoints, published };
}
