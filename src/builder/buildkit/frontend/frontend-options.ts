/** Options of BuildKit's Dockerfile frontend, as clients send them. */
import type { Platform } from '../../../oci/platform.ts';
import { parsePlatform } from '../../../oci/platform.ts';
import type { BuildRequest, RunSettings } from '../../solver.ts';
import type { NamedCache } from '../cache/cache-imports.ts';
import { badOption, unknownPlatform } from './frontend-errors.ts';

/** Texts by name; the names are listed in BuildKit's frontend/dockerui. */
export type FrontendOptions = ReadonlyMap<string, string>;

/** Options whose name begins with `prefix`, without it. */
export function withPrefix(options: FrontendOptions, prefix: string): Map<string, string> {
  return new Map(
    [...options].flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), value] as const] : [],
    ),
  );
}

/** The platforms that results are wanted for; empty for this machine's own. */
export function platformsOf(options: FrontendOptions, host: Platform): readonly Platform[] {
  const text = options.get('platform') ?? '';
  if (text === '') return [];
  return text.split(',').map((one) => {
    const platform = parsePlatform(one.trim(), host);
    if (platform === undefined) throw unknownPlatform(one);
    return platform;
  });
}

/** True when the client wants a list of results even of one. */
export function isListWanted(options: FrontendOptions, platforms: readonly Platform[]): boolean {
  const asked = options.get('build-arg:BUILDKIT_MULTI_PLATFORM') ?? options.get('multi-platform');
  return asked === undefined ? platforms.length > 1 : parseBoolean('multi-platform', asked);
}

/** `all`, names of stages, or nothing. */
export function noCacheOf(options: FrontendOptions): BuildRequest['noCache'] {
  const value = options.get('no-cache');
  if (value === undefined) return 'none';
  return value === '' ? 'all' : value.split(',');
}

/** `pull` (always), `default` and `local` (only when it is missing here). */
export function pullOf(options: FrontendOptions): BuildRequest['pull'] {
  const mode = options.get('image-resolve-mode') ?? '';
  if (mode === 'pull') return 'always';
  if (['', 'default', 'local'].includes(mode)) return 'missing';
  throw badOption('image-resolve-mode', mode);
}

/** What checks the client wants, in the words of `# check=`; undefined leaves it to the Dockerfile. */
export function checkOf(options: FrontendOptions): string | undefined {
  return options.get('build-arg:BUILDKIT_DOCKERFILE_CHECK') || undefined;
}

/** Where earlier results may be had from. */
export function cacheImportsOf(options: FrontendOptions): readonly NamedCache[] {
  const text = options.get('cache-imports') ?? '';
  const listed = text === '' ? [] : parseCacheImports(text);
  const refs = (options.get('cache-from') ?? '').split(',').filter((ref) => ref !== '');
  return [...listed, ...refs.map((ref) => ({ type: 'registry', attributes: { ref } }))];
}

function parseCacheImports(text: string): readonly NamedCache[] {
  try {
    const entries = JSON.parse(text) as readonly {
      readonly Type?: string;
      readonly Attrs?: Readonly<Record<string, string>>;
    }[];
    return entries.map(({ Type = '', Attrs = {} }) => ({ type: Type, attributes: { ...Attrs } }));
  } catch (error) {
    throw badOption('cache-imports', text, error);
  }
}

/** What RUN gets without saying so itself. */
export function runSettingsOf(options: FrontendOptions): RunSettings {
  const network = options.get('force-network-mode') ?? '';
  const hosts = (options.get('add-hosts') ?? '').split(',').filter((entry) => entry !== '');
  const shmSize = options.get('shm-size');
  return {
    networkMode: network === '' || network === 'sandbox' ? 'default' : network,
    extraHosts: hosts.map(toHostEntry),
    shmSizeBytes: shmSize === undefined ? undefined : parseNumber('shm-size', shmSize),
    resources: resourcesOf(options),
    securityOpt: [],
  };
}

function toHostEntry(entry: string): string {
  const [name, address] = entry.split('=', 2);
  if (name === undefined || address === undefined) throw badOption('add-hosts', entry);
  return `${name}:${address}`;
}

function resourcesOf(options: FrontendOptions): RunSettings['resources'] {
  const numberOf = (name: string) => {
    const value = options.get(name);
    return value === undefined ? undefined : parseNumber(name, value);
  };
  const given = {
    Memory: numberOf('memory'),
    MemorySwap: numberOf('memswap'),
    CpuShares: numberOf('cpushares'),
    CpuPeriod: numberOf('cpuperiod'),
    CpuQuota: numberOf('cpuquota'),
    CpusetCpus: options.get('cpusetcpus'),
    CpusetMems: options.get('cpusetmems'),
    CgroupParent: options.get('cgroup-parent'),
    Ulimits: ulimitsOf(options.get('ulimit') ?? ''),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** `nofile=1024:2048,nproc=5`. */
function ulimitsOf(text: string): RunSettings['resources']['Ulimits'] {
  if (text === '') return undefined;
  return text.split(',').map((one) => {
    const match = /^(\w+)=(-?\d+)(?::(-?\d+))?$/.exec(one);
    if (match === null) throw badOption('ulimit', one);
    const [, Name = '', soft = '', hard = soft] = match;
    return { Name, Soft: Number(soft), Hard: Number(hard) };
  });
}

/** As Go reads booleans. */
export function parseBoolean(name: string, value: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value)) return false;
  throw badOption(name, value);
}

function parseNumber(name: string, value: string): number {
  if (!/^-?\d+$/.test(value)) throw badOption(name, value);
  return Number(value);
}
