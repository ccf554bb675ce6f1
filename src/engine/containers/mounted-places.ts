/** Places of a container that are not its root file system's own. */

import type { ContainerDocument } from './container-document.ts';
import { nameFileMounts } from './name-file-mounts.ts';

/** What the runtime mounts in every container, or binds a file to. */
const OF_EVERY_CONTAINER = ['/dev', '/proc', '/sys', '/etc/mtab', '/sbin/docker-init'];

/** Absolute paths where something else is mounted while the container runs. */
export function mountedPlaces({ mounts }: Pick<ContainerDocument, 'mounts'>): readonly string[] {
  const nameFiles = nameFileMounts({ hosts: '', hostname: '', resolvConf: '' });
  return [
    ...OF_EVERY_CONTAINER,
    ...[...nameFiles, ...mounts].map(({ destination }) => destination),
  ];
}
