/** `POST /networks/{id}/connect` and `disconnect`, as far as the container is concerned. */
import type { NetworkRecord } from '../../network/network-record.ts';
import type { EndpointSettings } from '../../wire/container-config.ts';
import {
  goingAway,
  hostNetworkConflict,
  noneNetworkConflict,
  sharedNamespace,
} from '../networks/network-errors.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { notConnectedTo } from './container-errors.ts';
import { liveStatus } from './container-status.ts';
import { checkEndpointSettings, endpointRequest, NO_NETWORK } from './endpoint-requests.ts';
import { networkFacts } from './join-network.ts';
import { writeNameFiles } from './name-file-mounts.ts';
import { parseNetworkMode } from './network-mode.ts';

/** A container and the network that it joins or leaves. */
export interface Membership {
  readonly containerRef: string;
  readonly network: NetworkRecord;
}

/** Adds an endpoint to a container, at once when it runs. Returns the container's id. */
export function connectNetwork(
  deps: ContainerDeps,
  { containerRef, network }: Membership,
  settings: EndpointSettings,
): Promise<string> {
  const { id } = deps.registry.resolve(containerRef);
  return deps.locks.run(id, async () => {
    const document = deps.registry.get(id);
    checkCanJoin(document, network);
    checkEndpointSettings(network, settings);
    if (liveStatus(document.status) !== undefined) {
      const request = endpointRequest(document, network, settings);
      await deps.sandboxes.connect(id, request);
    }
    deps.failpoints.hit('network-connect:after-endpoint');
    const stored = { ...settings, NetworkID: network.id };
    const { [NO_NETWORK]: _none, ...others } = namedEndpoints(document);
    await storeEndpoints(deps, document, { ...others, [network.name]: stored });
    deps.failpoints.hit('network-connect:after-document');
    return id;
  });
}

/** Takes a container off a network, at once when it runs. Returns the container's id. */
export function disconnectNetwork(
  deps: ContainerDeps,
  { containerRef, network }: Membership,
): Promise<string> {
  const { id } = deps.registry.resolve(containerRef);
  return deps.locks.run(id, async () => {
    const document = deps.registry.get(id);
    checkNotGoing(document);
    if (network.name === 'host') throw hostNetworkConflict();
    const { [network.name]: gone, ...others } = namedEndpoints(document);
    if (gone === undefined) throw notConnectedTo(id, network.name);
    const live = liveStatus(document.status)?.network;
    if (live?.endpoints.some(({ networkId }) => networkId === network.id)) {
      await deps.sandboxes.disconnect(id, network.id);
    }
    deps.failpoints.hit('network-disconnect:after-endpoint');
    const isLast = Object.keys(others).length === 0;
    await storeEndpoints(deps, document, isLast ? { [NO_NETWORK]: {} } : others);
    return id;
  });
}

/** Endpoint settings by network name, the mode's own network included. */
function namedEndpoints(document: ContainerDocument): ContainerDocument['endpointSettings'] {
  const asked = document.endpointSettings;
  if (Object.keys(asked).length > 0) return asked;
  return { [document.hostConfig.NetworkMode ?? 'bridge']: {} };
}

function checkCanJoin(document: ContainerDocument, network: NetworkRecord): void {
  checkNotGoing(document);
  const mode = parseNetworkMode(document.hostConfig.NetworkMode);
  if (mode.kind === 'container' || mode.kind === 'host') throw sharedNamespace();
  if (network.name === 'host') throw hostNetworkConflict();
  const names = Object.keys(namedEndpoints(document));
  const isNone = mode.kind === 'none' && names.includes(NO_NETWORK);
  if (isNone || network.name === NO_NETWORK) throw noneNetworkConflict();
}

function checkNotGoing({ id, status }: ContainerDocument): void {
  if (status.state === 'removing' || status.state === 'dead') throw goingAway(id);
}

/** Stores settings and live endpoints, and brings the name files of a running container up to date. */
async function storeEndpoints(
  deps: ContainerDeps,
  { id }: ContainerDocument,
  endpointSettings: ContainerDocument['endpointSettings'],
): Promise<void> {
  const sandbox = deps.sandboxes.get(id);
  const after = await deps.registry.update(id, (document) => {
    const live = liveStatus(document.status);
    if (live === undefined || sandbox === undefined) return { ...document, endpointSettings };
    const status = { ...live, network: networkFacts(sandbox) };
    return { ...document, endpointSettings, status };
  });
  if (liveStatus(after.status) !== undefined && sandbox !== undefined) {
    await writeNameFiles(deps, after, networkFacts(sandbox));
  }
}
