/** Where the engine runs, and by which program when that is a virtual machine. */
import { arch } from 'node:os';
import { join } from 'node:path';
import type { DaemonSettings } from '../host/settings/daemon-settings.ts';
import { findQemu } from '../host/vm/qemu-driver.ts';
import { findVfkit } from '../host/vm/vfkit-driver.ts';
import type { VmDriver } from '../host/vm/vm-driver.ts';
import { unusableImage } from '../host/vm/vm-errors.ts';
import { findWsl } from '../host/vm/wsl-driver.ts';
import { readImage } from '../vm-image/image-document.ts';
import type { DaemonConfiguration } from './daemon-configuration.ts';
import { programCommand, programsDir } from './program-paths.ts';

export type MachineKind = Exclude<DaemonSettings['machine'], 'auto'>;

const ROOT_ARCHIVE = 'root.tar';
const DISTRIBUTION = 'wherry';

/** What `auto` stands for: namespaces where there are some, or else what the system brings along. */
export function machineKind(
  setting: DaemonSettings['machine'],
  platform: NodeJS.Platform = process.platform,
): MachineKind {
  if (setting !== 'auto') return setting;
  if (platform === 'darwin') return 'vfkit';
  return platform === 'win32' ? 'wsl' : 'namespace';
}

/** The driver of the virtual machine, ready to be used. `unavailable` with what to install when its program is missing. */
export async function findDriver(
  { settings, dataPaths }: DaemonConfiguration,
  searchPath: string,
): Promise<VmDriver> {
  const processor = arch() === 'arm64' ? 'arm64' : 'x64';
  const kind = machineKind(settings.machine);
  if (kind === 'vfkit') return findVfkit(processor, searchPath);
  if (kind !== 'wsl') return findQemu(processor, searchPath);
  return findWsl(searchPath, {
    distribution: DISTRIBUTION,
    installDir: dataPaths.wslDir,
    rootArchive: join(dataPaths.vmImageDir, ROOT_ARCHIVE),
    rootDigest: async () => digestOfArchive(dataPaths.vmImageDir),
    programsDir: programsDir(),
    bridge: programCommand('bridge', []),
  });
}

async function digestOfArchive(dir: string): Promise<string> {
  const { files } = await readImage(dir);
  const archive = files.find(({ name }) => name === ROOT_ARCHIVE);
  if (archive !== undefined) return archive.sha256;
  throw unusableImage(dir, `it has no ${ROOT_ARCHIVE} (wherry vm build-image --wsl)`);
}
