/** The daemon's settings, merged from flags, environment and file. Pure. */
import type { GcSettings } from '../../handshake/gc-settings.ts';
import type { RuntimeEntry, SubnetPool } from '../../handshake/host-facts.ts';
import { nearestWord } from '../../shared/nearest-word.ts';
import { DEFAULT_GC } from './builder-setting.ts';
import { decodeFileValue, decodeTexts, type SettingValue } from './decode-setting.ts';
import { environmentName, REFUSED_SETTINGS, SETTINGS, settingByKey } from './setting-table.ts';
import {
  badConfigFile,
  badSetting,
  conflictingSettings,
  unknownSetting,
  unsupportedSetting,
} from './settings-errors.ts';

/** What the daemon was told. Absent means: choose. */
export interface DaemonSettings {
  readonly hosts: readonly string[];
  readonly dataRoot?: string;
  readonly execRoot?: string;
  readonly pidFile?: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  readonly logFormat: 'text' | 'json';
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Directories with CDI files; the usual ones when empty. */
  readonly cdiSpecDirs: readonly string[];
  readonly defaultRuntime?: string;
  readonly runtimes: Readonly<Record<string, RuntimeEntry>>;
  /** Driver and options of container logs. */
  readonly logDriver?: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly storageDriver?: string;
  readonly builderGc: GcSettings;
  readonly additionalImageStores: readonly string[];
  /** What bind mounts may be of, absolute or the word `none`; everything when empty. */
  readonly sharedPlaces: readonly string[];
  /** Socket of the agent of the virtual machine that the daemon runs in. */
  readonly outerHost?: string;
  readonly bip?: string;
  readonly fixedCidr?: string;
  /** IPv6 on the default bridge. */
  readonly ipv6: boolean;
  readonly fixedCidrV6?: string;
  readonly addressPools: readonly SubnetPool[];
  readonly shutdownTimeoutSeconds: number;
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
  readonly defaultUserns: string;
  readonly offline: boolean;
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  readonly maxDownloadAttempts: number;
  readonly usernsMode: 'auto' | 'subid' | 'single';
  /** All containers reach the host's loopback. */
  readonly hostLoopback: boolean;
  readonly privilegedPorts: 'refuse' | 'auto-remap';
  readonly machine: 'auto' | 'namespace' | 'qemu' | 'vfkit' | 'wsl';
  /** What the virtual machine gets: processors, memory in MB, size of its data disk in GB. */
  readonly vmCpus?: number;
  readonly vmMemoryMb?: number;
  readonly vmDiskGb?: number;
  readonly networkDriver: 'auto' | 'slirp4netns' | 'pasta';
}

/** The three places settings come from, as found. */
export interface SettingSources {
  /** Values by flag name, in the order given; every value is a text, also for switches. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Text of `daemon.json`; absent when there is no such file. */
  readonly file?: { readonly path: string; readonly text: string };
}

/** dockerd's own default for `shutdown-timeout`. */
const DEFAULT_SHUTDOWN_TIMEOUT_SECONDS = 15;
/** dockerd's own defaults for transfers. */
const DEFAULT_CONCURRENT_DOWNLOADS = 3;
const DEFAULT_CONCURRENT_UPLOADS = 5;
const DEFAULT_DOWNLOAD_ATTEMPTS = 5;

type Values = ReadonlyMap<string, SettingValue>;

/**
 * Merges the sources: flag, then environment, then file, then default. `invalid-argument` for unknown and
 * unsupported settings, bad values, and settings that are both flag and file directive.
 */
export function mergeSettings(sources: SettingSources): DaemonSettings {
  const flags = flagValues(sources.flags);
  const file = sources.file === undefined ? new Map() : fileValues(sources.file);
  refuseConflicts(flags, file);
  const values = new Map([...file, ...environmentValues(sources.environment), ...flags]);
  if (values.has('fixed-cidr-v6') && values.get('ipv6') !== true) {
    throw badSetting('fixed-cidr-v6', 'it has no effect without ipv6');
  }
  return toSettings(values);
}

function flagValues(flags: ReadonlyMap<string, readonly string[]>): Values {
  const values = new Map<string, SettingValue>();
  for (const [flag, texts] of flags) {
    const setting = SETTINGS.find((candidate) => candidate.flag === flag);
    if (setting !== undefined) {
      values.set(setting.key, decodeTexts(setting, texts, `--${flag}`));
      continue;
    }
    const why = REFUSED_SETTINGS.get(flag);
    if (why !== undefined) throw unsupportedSetting(`--${flag}`, why);
    const known = SETTINGS.flatMap((candidate) => candidate.flag ?? []);
    const nearest = nearestWord(flag, known);
    throw unknownSetting(`flag: --${flag}`, nearest === undefined ? undefined : `--${nearest}`);
  }
  return values;
}

function environmentValues(environment: SettingSources['environment']): Values {
  const values = new Map<string, SettingValue>();
  for (const setting of SETTINGS) {
    if (setting.flag === undefined) continue;
    const name = environmentName(setting.flag);
    const text = environment[name];
    if (text === undefined || text === '') continue;
    const texts = ['list', 'runtimes', 'pairs'].includes(setting.form) ? text.split(',') : [text];
    values.set(setting.key, decodeTexts(setting, texts, name));
  }
  return values;
}

function fileValues(file: NonNullable<SettingSources['file']>): Values {
  const values = new Map<string, SettingValue>();
  for (const [key, raw] of Object.entries(flattenProxies(parseFile(file)))) {
    const setting = settingByKey(key);
    const why = REFUSED_SETTINGS.get(key);
    if (setting !== undefined)
      values.set(key, decodeFileValue(setting, raw, `"${key}" in ${file.path}`));
    else if (why !== undefined) throw unsupportedSetting(`"${key}" in ${file.path}`, why);
    else {
      const nearest = nearestWord(
        key,
        SETTINGS.map((candidate) => candidate.key),
      );
      throw unknownSetting(`key "${key}" in ${file.path}`, nearest);
    }
  }
  return values;
}

function parseFile(file: NonNullable<SettingSources['file']>): Readonly<Record<string, unknown>> {
  // An empty file is what some installers leave; dockerd takes it as no settings.
  if (file.text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(file.text);
  } catch (error) {
    throw badConfigFile(file.path, error instanceof Error ? error.message : 'not JSON', error);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw badConfigFile(file.path, 'the file must hold one JSON object');
  }
  return { ...parsed };
}

/** In the file, dockerd has the three proxy settings in an object of their own. */
function flattenProxies(settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { proxies, ...rest } = settings;
  const isObject = typeof proxies === 'object' && proxies !== null;
  return isObject ? { ...rest, ...proxies } : { ...settings };
}

function refuseConflicts(flags: Values, file: Values): void {
  const both = [...flags].flatMap(([key, value]) => {
    const other = file.get(key);
    if (other === undefined) return [];
    return `${key}: (from flag: ${JSON.stringify(value)}, from file: ${JSON.stringify(other)})`;
  });
  if (both.length > 0) throw conflictingSettings(both);
}

/** Decoding has checked forms and words, so reading back by form cannot go wrong. */
function toSettings(values: Values): DaemonSettings {
  const text = (key: string) => values.get(key) as string | undefined;
  const number = (key: string, fallback: number) =>
    (values.get(key) as number | undefined) ?? fallback;
  const list = (key: string) => (values.get(key) as readonly string[] | undefined) ?? [];
  const optional = <Name extends string>(name: Name, key: string) => {
    const value = text(key);
    return (value === undefined ? {} : { [name]: value }) as { readonly [key in Name]?: string };
  };
  const optionalNumber = <Name extends string>(name: Name, key: string) =>
    (values.has(key) ? { [name]: values.get(key) } : {}) as { readonly [key in Name]?: number };
  const debug = values.get('debug') === true;
  return {
    hosts: list('hosts'),
    ...optional('dataRoot', 'data-root'),
    ...optional('execRoot', 'exec-root'),
    ...optional('pidFile', 'pidfile'),
    logLevel: debug ? 'debug' : ((text('log-level') ?? 'info') as DaemonSettings['logLevel']),
    logFormat: (text('log-format') ?? 'text') as DaemonSettings['logFormat'],
    registryMirrors: list('registry-mirrors'),
    insecureRegistries: list('insecure-registries'),
    cdiSpecDirs: list('cdi-spec-dirs'),
    ...optional('defaultRuntime', 'default-runtime'),
    runtimes: (values.get('runtimes') ?? {}) as DaemonSettings['runtimes'],
    ...optional('logDriver', 'log-driver'),
    logOptions: (values.get('log-opts') ?? {}) as DaemonSettings['logOptions'],
    ...optional('storageDriver', 'storage-driver'),
    additionalImageStores: list('additional-image-stores'),
    sharedPlaces: list('shared-places'),
    builderGc: (values.get('builder') ?? DEFAULT_GC) as GcSettings,
    ...optional('outerHost', 'outer-host'),
    ...optional('bip', 'bip'),
    ...optional('fixedCidr', 'fixed-cidr'),
    ipv6: values.get('ipv6') === true,
    ...optional('fixedCidrV6', 'fixed-cidr-v6'),
    addressPools: (values.get('default-address-pools') ?? []) as DaemonSettings['addressPools'],
    shutdownTimeoutSeconds: number('shutdown-timeout', DEFAULT_SHUTDOWN_TIMEOUT_SECONDS),
    ...optional('httpProxy', 'http-proxy'),
    ...optional('httpsProxy', 'https-proxy'),
    ...optional('noProxy', 'no-proxy'),
    defaultUserns: text('default-userns') ?? 'host',
    offline: values.get('offline') === true,
    maxConcurrentDownloads: number('max-concurrent-downloads', DEFAULT_CONCURRENT_DOWNLOADS),
    maxConcurrentUploads: number('max-concurrent-uploads', DEFAULT_CONCURRENT_UPLOADS),
    maxDownloadAttempts: number('max-download-attempts', DEFAULT_DOWNLOAD_ATTEMPTS),
    usernsMode: (text('userns-mode') ?? 'auto') as DaemonSettings['usernsMode'],
    hostLoopback: values.get('host-loopback') === true,
    privilegedPorts: (text('privileged-ports') ?? 'refuse') as DaemonSettings['privilegedPorts'],
    machine: (text('machine') ?? 'auto') as DaemonSettings['machine'],
    ...optionalNumber('vmCpus', 'vm-cpus'),
    ...optionalNumber('vmMemoryMb', 'vm-memory'),
    ...optionalNumber('vmDiskGb', 'vm-disk'),
    networkDriver: (text('network-driver') ?? 'auto') as DaemonSettings['networkDriver'],
  };
}
