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
    const stored = { ...settings, NetworkID: network.id };
    if (liveStatus(document.status) !== undefined) {
      const request = endpointRequest(document, network, settings);
      await changing(deps, { document, network, settings: stored, verb: 'connect' }, () =>
        deps.sandboxes.connect(id, request),
      );
    }
    deps.failpoints.hit('network-connect:after-endpoint');
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
      await changing(deps, { document, network, settings: gone, verb: 'disconnect' }, () =>
        deps.sandboxes.disconnect(id, network.id),
      );
    }
    deps.failpoints.hit('network-disconnect:after-endpoint');
    await storeEndpoints(deps, document, orNone(others));
    return id;
  });
}

interface Change {
  readonly verb: 'connect' | 'disconnect';
  readonly document: ContainerDocument;
  readonly network: NetworkRecord;
  readonly settings: EndpointSettings;
}

/** Changes the endpoints of a running container with the intent on record; a refusal takes the intent back. */
async function changing(
  deps: ContainerDeps,
  { verb, document, network, settings }: Change,
  change: () => Promise<unknown>,
): Promise<void> {
  const networkChange = { networkId: network.id, networkName: network.name, settings };
  await deps.registry.amend(document.id, (current) => ({ ...current, networkChange }));
  deps.failpoints.hit(`network-${verb}:after-intent`);
  try {
    await change();
  } catch (error) {
    await deps.registry.amend(document.id, withoutChange);
    throw error;
  }
}

/** The document after a crash in the middle of a change: what is stored follows what the endpoints are. */
export function settleNetworkChange(
  document: ContainerDocument,
  endpoints: readonly { readonly networkId: string }[],
): ContainerDocument {
  const { networkChange } = document;
  if (networkChange === undefined) return document;
  const { networkId, networkName, settings } = networkChange;
  const { [networkName]: _, [NO_NETWORK]: _none, ...others } = namedEndpoints(document);
  const isOn = endpoints.some((endpoint) => endpoint.networkId === networkId);
  const named = isOn ? { ...others, [networkName]: settings } : others;
  return { ...withoutChange(document), endpointSettings: orNone(named) };
}

function withoutChange(document: ContainerDocument): ContainerDocument {
  const { networkChange: _, ...rest } = document;
  return rest;
}

/** A container that has left its last network is on none. */
function orNone(
  endpoints: ContainerDocument['endpointSettings'],
): ContainerDocument['endpointSettings'] {
  return Object.keys(endpoints).length === 0 ? { [NO_NETWORK]: {} } : endpoints;
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
    const changed = { ...withoutChange(document), endpointSettings };
    if (live === undefined || sandbox === undefined) return changed;
    return { ...changed, status: { ...live, network: networkFacts(sandbox) } };
  });
  if (liveStatus(after.status) !== undefined && sandbox !== undefined) {
    await writeNameFiles(deps, after, networkFacts(sandbox));
  }
}
