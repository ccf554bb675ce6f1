/** What a container gets of those that it is linked to: variables and lines of `/etc/hosts`. */
import { EngineError } from '../../shared/errors.ts';
import { parseContainerPorts } from '../../wire/port-syntax.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument, NetworkFacts } from './container-document.ts';
import { liveStatus } from './container-status.ts';

/** One linked container that runs. */
interface LinkedContainer {
  readonly alias: string;
  readonly target: ContainerDocument;
  /** Its address on the default bridge. */
  readonly ipAddress: string;
}

/** Variables that only make sense within the container they are of. */
const OWN_VARIABLES = new Set(['HOME', 'PATH']);

/**
 * Throws `internal` with Docker's text when a container that `document` is linked to does not run: the links of the
 * default bridge need its address.
 */
export function checkLinks(
  registry: ContainerDeps['registry'],
  document: ContainerDocument,
  facts: NetworkFacts | undefined,
): void {
  if (bridgeAddress(facts) === undefined) return;
  for (const { id, alias } of document.links ?? []) {
    const target = registry.tryGet(id);
    if (target === undefined) continue;
    const live = liveStatus(target.status);
    if (live === undefined) throw linkToStopped(target.name, `/${document.name}/${alias}`);
    if (bridgeAddress(live.network) === undefined) throw notOnBridge(id);
  }
}

/** Lines for `/etc/hosts`: address and names of every linked container that runs. */
export function linkedHosts(
  registry: ContainerDeps['registry'],
  document: ContainerDocument,
  facts: NetworkFacts | undefined,
): readonly (readonly [string, string])[] {
  return linked(registry, document, facts).map(({ alias, target, ipAddress }) => {
    const names = [alias, target.config.Hostname ?? '', target.name === alias ? '' : target.name];
    return [ipAddress, names.filter((name) => name !== '').join(' ')];
  });
}

/** Docker's variables for links, of which programs of another age learn where their database is. */
export function linkVariables(
  registry: ContainerDeps['registry'],
  document: ContainerDocument,
  facts: NetworkFacts | undefined,
): readonly string[] {
  return linked(registry, document, facts).flatMap((one) => variablesOf(document.name, one));
}

function linked(
  registry: ContainerDeps['registry'],
  document: ContainerDocument,
  facts: NetworkFacts | undefined,
): readonly LinkedContainer[] {
  if (bridgeAddress(facts) === undefined) return [];
  return (document.links ?? []).flatMap(({ id, alias }) => {
    const target = registry.tryGet(id);
    const live = target === undefined ? undefined : liveStatus(target.status);
    const ipAddress = bridgeAddress(live?.network);
    return target === undefined || ipAddress === undefined ? [] : [{ alias, target, ipAddress }];
  });
}

function bridgeAddress(facts: NetworkFacts | undefined): string | undefined {
  return facts?.endpoints.find(({ networkName }) => networkName === 'bridge')?.ipAddress;
}

function variablesOf(parentName: string, linkedTo: LinkedContainer): readonly string[] {
  const { alias, target, ipAddress } = linkedTo;
  const prefix = alias.replaceAll('-', '_').toUpperCase();
  const ports = Object.keys(target.config.ExposedPorts ?? {})
    .map(parseContainerPorts)
    .flatMap(({ first, last, protocol }) =>
      Array.from({ length: last - first + 1 }, (_, at) => ({ port: first + at, protocol })),
    )
    .toSorted((one, other) => one.port - other.port || (one.protocol < other.protocol ? 1 : -1));
  const [lowest] = ports;
  const url = (one: (typeof ports)[number]) => `${one.protocol}://${ipAddress}:${one.port}`;
  return [
    ...(lowest === undefined ? [] : [`${prefix}_PORT=${url(lowest)}`]),
    ...ports.flatMap((one) => {
      const name = `${prefix}_PORT_${one.port}_${one.protocol.toUpperCase()}`;
      const parts = { ADDR: ipAddress, PORT: one.port, PROTO: one.protocol };
      const more = Object.entries(parts).map(([part, value]) => `${name}_${part}=${value}`);
      return [`${name}=${url(one)}`, ...more];
    }),
    `${prefix}_NAME=/${parentName}/${alias}`,
    ...(target.config.Env ?? [])
      .filter((entry) => entry.includes('=') && !OWN_VARIABLES.has(entry.split('=', 1)[0] ?? ''))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

const linkToStopped = (name: string, link: string) =>
  new EngineError('internal', `Cannot link to a non running container: /${name} AS ${link}`);

const notOnBridge = (id: string) =>
  new EngineError('internal', `container ${id} not attached to default bridge network`);
