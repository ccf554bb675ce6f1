/** Where a directory of Windows is in a distribution of WSL. */
import { unusablePath } from './vm-errors.ts';

/** `C:\Users\me` is `/mnt/c/Users/me`. `invalid-argument` for paths of the network, which WSL does not mount. */
export function toDrvfs(path: string): string {
  const [, drive, rest = ''] = /^([A-Za-z]):[\\/](.*)$/.exec(path) ?? [];
  if (drive === undefined) throw unusablePath(path);
  const parts = rest.split(/[\\/]/).filter((part) => part !== '');
  return ['', 'mnt', drive.toLowerCase(), ...parts].join('/');
}
