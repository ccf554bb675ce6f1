/** `VmControl` for this machine. Runs on systems that have nothing else of ours, so it asks for nothing of Linux. */
import { connect } from 'node:net';
import { arch, homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import {
  HttpTransport,
  type IncomingResponse,
  readBody,
} from '../distribution/registry/http-transport.ts';
import { DEFAULT_IDLE_TIMEOUT_MS } from '../distribution/registry/oci-registry.ts';
import type { VmControl, VmImageReport } from '../host/vm-control.ts';
import { DATA_NAMES } from '../sys/filenames.ts';
import { buildImage } from '../vm-image/build-image.ts';
import type { Download } from '../vm-image/fetch-pinned.ts';
import type { VmImage } from '../vm-image/image-document.ts';
import { pullImage } from '../vm-image/pull-image.ts';
import { ARCHITECTURES, type Architecture } from '../vm-image/recipe/recipe.ts';
import { notServed, unknownArchitecture } from '../vm-image/vm-image-errors.ts';
import { configuredNpmRegistry } from './npm-registry.ts';
import { recipeDir } from './program-paths.ts';
import { proxiesOf } from './proxy-settings.ts';
import { readSystemAuthorities } from './system-authorities.ts';
import { VERSION } from './version.ts';
import { vmLife } from './vm-life.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const OK = 200;

/** The control for the user of `environment`. */
export function vmControl(environment: Environment): VmControl {
  const outputOr = (dir: string | undefined) =>
    dir === undefined
      ? join(homeOf(environment, 'XDG_DATA_HOME'), DATA_NAMES.vmImageDir)
      : resolve(dir);
  return {
    ...vmLife(environment),
    buildImage: async (options, onStep) => {
      const outputDir = outputOr(options.outputDir);
      const toldRegistry = options.npmRegistry ?? environment['WHERRY_VM_NPM_REGISTRY'];
      const npmRegistry = toldRegistry ?? (await configuredNpmRegistry());
      const image = await withDownload(environment, (download) =>
        buildImage({
          ...options,
          outputDir,
          download,
          onStep,
          recipeDir: options.recipeDir === undefined ? recipeDir() : resolve(options.recipeDir),
          architecture: architectureOf(options.architecture),
          archive: options.archive ?? environment['WHERRY_VM_ARCHIVE'],
          npmRegistry,
          cacheDir: join(homeOf(environment, 'XDG_CACHE_HOME'), 'vm-packages'),
        }),
      );
      return reportOf(outputDir, image);
    },
    pullImage: async ({ url, sha256, outputDir: wanted }, onStep) => {
      const outputDir = outputOr(wanted);
      const image = await withDownload(environment, (download) =>
        pullImage({ url, sha256, outputDir, download, onStep }),
      );
      return reportOf(outputDir, image);
    },
  };
}

function reportOf(dir: string, { architecture, kernel, files }: VmImage): VmImageReport {
  return { dir, architecture, kernel, files };
}

/** Our directory below the one that the variable of the XDG specification names. */
function homeOf(environment: Environment, name: 'XDG_DATA_HOME' | 'XDG_CACHE_HOME'): string {
  const told = environment[name];
  const usual = name === 'XDG_DATA_HOME' ? ['.local', 'share'] : ['.cache'];
  const home = environment['HOME'] ?? homedir();
  return join(told !== undefined && isAbsolute(told) ? told : join(home, ...usual), 'wherry');
}

function architectureOf(wanted: string | undefined): Architecture {
  const own = arch() === 'x64' ? 'amd64' : arch();
  const found = ARCHITECTURES.find((each) => each === (wanted ?? own));
  if (found === undefined) throw unknownArchitecture(wanted ?? own, ARCHITECTURES);
  return found;
}

async function withDownload<T>(
  environment: Environment,
  use: (download: Download) => Promise<T>,
): Promise<T> {
  const transport = new HttpTransport({
    userAgent: `wherry/${VERSION}`,
    idleTimeoutMs: DEFAULT_IDLE_TIMEOUT_MS,
    proxies: proxiesOf({}, environment),
    openConnection: async ({ host, port }) => connect({ host, port }),
    systemAuthorities: () => readSystemAuthorities(environment, () => undefined),
    certificatesFor: async () => ({ authorities: [], clients: [] }),
    isInsecure: () => false,
  });
  try {
    return await use(async (url, maxBytes) =>
      readBody(await get(transport, new URL(url)), url, maxBytes),
    );
  } finally {
    transport.close();
  }
}

async function get(transport: HttpTransport, url: URL): Promise<IncomingResponse> {
  const signal = new AbortController().signal;
  const response = await transport.send({ url, method: 'GET', headers: {}, signal });
  if (response.status === OK) return response;
  response.body.destroy();
  throw notServed(url.href, response.status);
}
