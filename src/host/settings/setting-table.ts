/**
 * Every setting of the daemon: its flag, its key in `daemon.json`, and whether it has an effect. The keys are
 * those of dockerd's configuration file, plus our own (`userns-mode`, `machine`, `network-driver`).
 */

/** What a value looks like. `list` flags may be repeated; `runtimes` and `pairs` are maps in the file and
 * `name=value` as flags; `builder` is in the file only. */
export type SettingForm =
  | 'text'
  | 'list'
  | 'switch'
  | 'number'
  | 'runtimes'
  | 'pairs'
  | 'pools'
  | 'builder';

/** One setting that has an effect. */
export interface Setting {
  /** Key in `daemon.json`; unique. */
  readonly key: string;
  /** Flag without dashes; absent when there is only the key. */
  readonly flag?: string;
  /** One-letter flag. */
  readonly short?: string;
  readonly form: SettingForm;
  /** Smallest value of a `number`; -1 when left out. */
  readonly least?: number;
  /** Allowed words of a `text` setting. */
  readonly words?: readonly string[];
  /** For the help text. */
  readonly help: string;
}

/** The settings that have an effect. */
export const SETTINGS: readonly Setting[] = [
  {
    key: 'hosts',
    flag: 'host',
    short: 'H',
    form: 'list',
    help: 'API socket to listen on: unix://PATH, tcp://ADDRESS:PORT, fd://[NAME] (repeatable)',
  },
  {
    key: 'data-root',
    flag: 'data-root',
    form: 'text',
    help: 'directory for images, containers and volumes',
  },
  {
    key: 'exec-root',
    flag: 'exec-root',
    form: 'text',
    help: 'directory for sockets and other runtime files',
  },
  { key: 'pidfile', flag: 'pidfile', form: 'text', help: 'file that gets the pid of the daemon' },
  { key: 'debug', flag: 'debug', short: 'D', form: 'switch', help: 'log everything' },
  {
    key: 'log-level',
    flag: 'log-level',
    short: 'l',
    form: 'text',
    words: ['debug', 'info', 'warn', 'error', 'fatal'],
    help: 'least severe messages to log: debug, info, warn, error, fatal',
  },
  {
    key: 'log-format',
    flag: 'log-format',
    form: 'text',
    words: ['text', 'json'],
    help: 'text or json',
  },
  {
    key: 'registry-mirrors',
    flag: 'registry-mirror',
    form: 'list',
    help: 'mirror of Docker Hub to try first (repeatable)',
  },
  {
    key: 'insecure-registries',
    flag: 'insecure-registry',
    form: 'list',
    help: 'registry (HOST[:PORT] or CIDR) that may be used without TLS (repeatable)',
  },
  {
    key: 'http-proxy',
    flag: 'http-proxy',
    form: 'text',
    help: 'proxy for registries without TLS, in place of HTTP_PROXY',
  },
  {
    key: 'https-proxy',
    flag: 'https-proxy',
    form: 'text',
    help: 'proxy for registries with TLS, in place of HTTPS_PROXY',
  },
  {
    key: 'no-proxy',
    flag: 'no-proxy',
    form: 'text',
    help: 'hosts that are reached without a proxy, in place of NO_PROXY',
  },
  {
    key: 'offline',
    flag: 'offline',
    form: 'switch',
    help: 'ask no registry: images come from the store alone',
  },
  {
    key: 'max-concurrent-downloads',
    flag: 'max-concurrent-downloads',
    form: 'number',
    least: 1,
    help: 'layers that are downloaded at the same time (3)',
  },
  {
    key: 'max-concurrent-uploads',
    flag: 'max-concurrent-uploads',
    form: 'number',
    least: 1,
    help: 'layers that are uploaded at the same time (5)',
  },
  {
    key: 'max-download-attempts',
    flag: 'max-download-attempts',
    form: 'number',
    least: 1,
    help: 'tries for a request to a registry that fails for a passing reason (5)',
  },
  {
    key: 'cdi-spec-dirs',
    flag: 'cdi-spec-dir',
    form: 'list',
    help: 'directory with descriptions of devices (CDI), instead of the usual ones (repeatable)',
  },
  {
    key: 'default-runtime',
    flag: 'default-runtime',
    form: 'text',
    help: 'OCI runtime for containers that name none',
  },
  {
    key: 'runtimes',
    flag: 'add-runtime',
    form: 'runtimes',
    help: 'another OCI runtime, NAME=PATH (repeatable)',
  },
  {
    key: 'default-userns',
    flag: 'default-userns',
    form: 'text',
    help: 'ids of containers that name none: host, keep-id, or keep-id:UID,GID',
  },
  {
    key: 'log-driver',
    flag: 'log-driver',
    form: 'text',
    help: 'log driver for containers that name none: json-file, local or none',
  },
  {
    key: 'log-opts',
    flag: 'log-opt',
    form: 'pairs',
    help: 'option of the log driver, NAME=VALUE (repeatable)',
  },
  {
    key: 'storage-driver',
    flag: 'storage-driver',
    short: 's',
    form: 'text',
    help: 'how layers become root file systems: overlay (overlay2), fuse-overlayfs or copy (vfs)',
  },
  {
    key: 'additional-image-stores',
    flag: 'additional-image-store',
    form: 'list',
    help: 'directory with images to use and never change, an OCI image layout (repeatable)',
  },
  {
    key: 'shared-places',
    flag: 'shared-place',
    form: 'list',
    help: 'path that bind mounts may be of, with all below; none for no bind mounts (repeatable)',
  },
  {
    key: 'outer-host',
    flag: 'outer-host',
    form: 'text',
    help: 'socket of the agent of the virtual machine that this daemon runs in: ports are published outside',
  },
  { key: 'builder', form: 'builder', help: 'limits of caches (gc)' },
  {
    key: 'bip',
    flag: 'bip',
    form: 'text',
    help: 'address and prefix length of the default bridge',
  },
  {
    key: 'fixed-cidr',
    flag: 'fixed-cidr',
    form: 'text',
    help: "part of the default bridge's network that addresses are chosen from",
  },
  { key: 'ipv6', flag: 'ipv6', form: 'switch', help: 'IPv6 on the default bridge' },
  {
    key: 'fixed-cidr-v6',
    flag: 'fixed-cidr-v6',
    form: 'text',
    help: 'IPv6 network of the default bridge; one of this machine when left out',
  },
  {
    key: 'default-address-pools',
    flag: 'default-address-pool',
    form: 'pools',
    help: 'range that networks are cut from, base=NETWORK,size=BITS (repeatable)',
  },
  {
    key: 'shutdown-timeout',
    flag: 'shutdown-timeout',
    form: 'number',
    help: 'seconds that containers get to stop; -1 for no limit',
  },
  {
    key: 'userns-mode',
    flag: 'userns-mode',
    form: 'text',
    words: ['auto', 'subid', 'single'],
    help: 'user namespace with subordinate ids, with a single id, or what is possible (auto)',
  },
  {
    key: 'machine',
    flag: 'machine',
    form: 'text',
    words: ['auto', 'namespace', 'qemu', 'vfkit', 'wsl'],
    help: 'where the engine runs: in namespaces (Linux), or in a virtual machine by qemu, vfkit (macOS) or wsl (Windows)',
  },
  {
    key: 'vm-cpus',
    flag: 'vm-cpus',
    form: 'number',
    least: 1,
    help: "the virtual machine's processors; as many as there are, up to 4",
  },
  {
    key: 'vm-memory',
    flag: 'vm-memory',
    form: 'number',
    least: 512,
    help: "the virtual machine's memory in MB; a quarter of what there is, 1024 to 4096",
  },
  {
    key: 'vm-disk',
    flag: 'vm-disk',
    form: 'number',
    least: 1,
    help: "size of the virtual machine's data disk in GB, which takes what is in it and never shrinks; 64",
  },
  {
    key: 'network-driver',
    flag: 'network-driver',
    form: 'text',
    words: ['auto', 'slirp4netns', 'pasta'],
    help: 'how containers reach the outside: slirp4netns, pasta, or the one that is there (auto)',
  },
  {
    key: 'host-loopback',
    flag: 'host-loopback',
    form: 'switch',
    help: "let all containers reach the host's loopback, not only those with --add-host NAME:host-gateway",
  },
  {
    key: 'privileged-ports',
    flag: 'privileged-ports',
    form: 'text',
    words: ['refuse', 'auto-remap'],
    help: 'published ports that the system keeps from this user: refuse, or 10000 more instead (auto-remap)',
  },
];

const LATER = 'this version has no such function yet';
const ROOTLESS = 'a daemon without root cannot do it';

/** Settings of dockerd that are known and refused, with the reason. Keys and flags have the same names unless listed twice. */
export const REFUSED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ...[
    'tls',
    'tlsverify',
    'tlscacert',
    'tlscert',
    'tlskey',
    'bridge',
    'bridge-accept-fwmark',
    'ip6tables',
    'ip',
    'icc',
    'ip-forward',
    'ip-masq',
    'iptables',
    'ip-forward-no-drop',
    'mtu',
    'dns',
    'dns-opts',
    'dns-opt',
    'dns-search',
    'host-gateway-ip',
    'host-gateway-ips',
    'default-gateway',
    'default-gateway-v6',
    'default-network-opts',
    'default-network-opt',
    'firewall-backend',
    'userland-proxy',
    'userland-proxy-path',
    'allow-direct-routing',
    'labels',
    'label',
    'default-ulimits',
    'default-ulimit',
    'default-shm-size',
    'default-ipc-mode',
    'default-cgroupns-mode',
    'init',
    'init-path',
    'storage-opts',
    'storage-opt',
    'live-restore',
    'no-new-privileges',
    'seccomp-profile',
    'metrics-addr',
    'cdi-spec-dirs',
    'cdi-spec-dir',
    'experimental',
    'features',
    'feature',
    'node-generic-resources',
    'node-generic-resource',
    'raw-logs',
    'api-cors-header',
    'allow-nondistributable-artifacts',
    'deprecated-key-path',
    'group',
    'validate-config',
    'network-control-plane-mtu',
    'network-diagnostic-port',
    'min-api-version',
    'graph',
    'authorization-plugins',
    'authorization-plugin',
  ].map((name) => [name, LATER] as const),
  ...[
    'cgroup-parent',
    'exec-opts',
    'exec-opt',
    'cpu-rt-runtime',
    'cpu-rt-period',
    'oom-score-adjust',
    'selinux-enabled',
    'userns-remap',
    'swarm-default-advertise-addr',
    'cluster-store',
    'cluster-store-opts',
    'cluster-advertise',
    'containerd',
    'containerd-namespace',
    'containerd-plugins-namespace',
    'containerd-plugin-namespace',
  ].map((name) => [name, ROOTLESS] as const),
]);

/** The setting with this key in the file. */
export function settingByKey(key: string): Setting | undefined {
  return SETTINGS.find((setting) => setting.key === key);
}

/** Name of the environment variable of a flag: `data-root` is `WHERRY_DATA_ROOT`. */
export function environmentName(flag: string): string {
  return `WHERRY_${flag.toUpperCase().replaceAll('-', '_')}`;
}
