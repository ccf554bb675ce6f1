/** `HostConfig.Links`: names under which a container knows others on the default bridge. */
import { EngineError } from '../../shared/errors.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { HostConfig } from '../../wire/container-config.ts';
import type { ContainerDocument, ContainerLink } from './container-document.ts';
import { noSuchContainer } from './container-errors.ts';
import type { ContainerRegistry } from './container-registry.ts';
import { containerReference } from './namespace-modes.ts';

/** A link as a client writes it. */
export interface NamedLink {
  readonly name: string;
  readonly alias: string;
}

/** `name`, `name:alias`, or the form of inspect, `/name:/parent/alias`. `invalid-argument` with Docker's texts. */
export function parseLink(text: string): NamedLink {
  if (text === '') throw invalidLink('empty string specified for links');
  const parts = text.split(':');
  const [name = '', given = name] = parts;
  if (parts.length > 2) throw invalidLink(`bad format for links: ${text}`);
  return { name: name.replace(/^\//, ''), alias: given.slice(given.lastIndexOf('/') + 1) };
}

/** The containers that the links name. `invalid-argument` for one that is not there or cannot be linked to. */
export function resolveLinks(
  registry: Pick<ContainerRegistry, 'tryResolve'>,
  hostConfig: HostConfig,
): readonly ContainerLink[] {
  const links = (hostConfig.Links ?? []).map(parseLink);
  if (links.length > 0) checkModeOfLinking(hostConfig);
  return links.map(({ name, alias }) => ({ id: linkable(registry, name).id, alias }));
}

function checkModeOfLinking({ NetworkMode: mode }: HostConfig): void {
  const kind = containerReference(mode) === undefined ? mode : 'container';
  if (kind === 'host' || kind === 'container') throw linksConflict(kind);
}

/** Who shares a network is reached at the address of the container whose network it is. */
function linkable(
  registry: Pick<ContainerRegistry, 'tryResolve'>,
  name: string,
): ContainerDocument {
  const found = registry.tryResolve(name);
  if (found === undefined) {
    throw invalidLink(`could not get container for ${name}: No such container: ${name}`);
  }
  const mode = found.hostConfig.NetworkMode;
  if (mode === 'host') throw linksConflict('host');
  const owner = containerReference(mode);
  return owner === undefined ? found : linkable(registry, owner);
}

/** Links in the form of inspect, `/target:/parent/alias`, in order. */
export function linkTexts(
  registry: Pick<ContainerRegistry, 'tryGet'>,
  { name, links = [] }: Pick<ContainerDocument, 'name' | 'links'>,
): readonly string[] {
  return links
    .flatMap(({ id, alias }) => {
      const target = registry.tryGet(id);
      return target === undefined ? [] : [`/${target.name}:/${name}/${alias}`];
    })
    .toSorted();
}

/** The names that containers have by the links of others, without a leading slash. */
export function linkNames(
  documents: readonly ContainerDocument[],
): ReadonlyMap<ContainerId, readonly string[]> {
  const names = new Map<ContainerId, string[]>();
  for (const { name, links = [] } of documents) {
    for (const { id, alias } of links) {
      names.set(id, [...(names.get(id) ?? []), `${name}/${alias}`]);
    }
  }
  return names;
}

/** The parent and the link that `parent/alias` means; `not-found` when there is none. */
export function findLink(
  registry: Pick<ContainerRegistry, 'resolve'>,
  ref: string,
): { readonly parent: ContainerDocument; readonly link: ContainerLink } {
  const [name = '', alias = ''] = ref.replace(/^\//, '').split('/');
  const parent = registry.resolve(name);
  const link = parent.links?.find((one) => one.alias === alias);
  if (link === undefined) throw noSuchContainer(ref);
  return { parent, link };
}

const invalidLink = (message: string) => new EngineError('invalid-argument', message);

const linksConflict = (kind: 'host' | 'container') => {
  const what = kind === 'host' ? 'host type networking' : 'container type network';
  return invalidLink(
    `conflicting options: ${what} can't be used with links. This would result in undefined behavior`,
  );
};
