/** `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a container: written anew at each start. */
import type { Endpoint } from '../../network/sandbox-service.ts';
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { ContainerId } from '../../shared/ids.ts';
import type { NameFilePaths } from '../../storage/container-files.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument, NetworkFacts } from './container-document.ts';
import { liveStatus } from './container-status.ts';
import { linkedHosts } from './linked-containers.ts';

/** Writes the three files for the container's present address and returns where they are. */
export async function writeNameFiles(
  deps: Pick<ContainerDeps, 'files' | 'registry' | 'renderNameFiles'>,
  document: ContainerDocument,
  network: NetworkFacts | undefined,
): Promise<NameFilePaths> {
  const files = deps.renderNameFiles({
    hostname: document.config.Hostname ?? '',
    domainname: document.config.Domainname ?? '',
    ipAddresses: network?.endpoints.flatMap(addressesOf) ?? [],
    nameService: network?.endpoints.some(({ names = [] }) => names.length > 0) ?? false,
    links: linkedHosts(deps.registry, document, network),
    hostConfig: document.hostConfig,
    hostNetwork: document.hostConfig.NetworkMode === 'host',
  });
  return await deps.files.writeNameFiles(document.id, files);
}

function addressesOf({ ipAddress, ipv6 }: Endpoint): readonly string[] {
  return ipv6 === undefined ? [ipAddress] : [ipAddress, ipv6.address];
}

/** Lets the containers that are linked to `id` know its new address. */
export async function refreshLinks(
  deps: Pick<ContainerDeps, 'registry' | 'files' | 'renderNameFiles'>,
  id: ContainerId,
): Promise<void> {
  for (const document of deps.registry.all()) {
    const live = liveStatus(document.status);
    if (live === undefined || !document.links?.some((link) => link.id === id)) continue;
    await writeNameFiles(deps, document, live.network);
  }
}

/** Bind mounts that put the files where programs look for them. */
export function nameFileMounts(paths: NameFilePaths): readonly SpecMount[] {
  const bind = (source: string, destination: string): SpecMount => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', 'rprivate'],
  });
  return [
    bind(paths.resolvConf, '/etc/resolv.conf'),
    bind(paths.hostname, '/etc/hostname'),
    bind(paths.hosts, '/etc/hosts'),
  ];
}
