/** `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a container: written anew at each start. */
import type { SpecMount } from '../../oci/runtime-spec.ts';
import type { NameFilePaths } from '../../storage/container-files.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument, NetworkFacts } from './container-document.ts';

/** Writes the three files for the container's present address and returns where they are. */
export async function writeNameFiles(
  deps: Pick<ContainerDeps, 'files' | 'renderNameFiles'>,
  document: ContainerDocument,
  network: NetworkFacts | undefined,
): Promise<NameFilePaths> {
  const files = deps.renderNameFiles({
    hostname: document.config.Hostname ?? '',
    domainname: document.config.Domainname ?? '',
    ipAddresses: network?.endpoints.map(({ ipAddress }) => ipAddress) ?? [],
    nameService: network?.endpoints.some(({ names = [] }) => names.length > 0) ?? false,
    hostConfig: document.hostConfig,
    hostNetwork: document.hostConfig.NetworkMode === 'host',
  });
  return await deps.files.writeNameFiles(document.id, files);
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
