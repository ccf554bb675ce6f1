/** What the host tells the engine about the place it runs in. The engine never learns which machine made it. */
import * as v from 'valibot';
import { gcSettingsSchema } from './gc-settings.ts';

/** `count` ids from `inside` on are `outside`… on the other side of the user namespace. */
export const idExtentSchema = v.object({
  inside: v.number(),
  outside: v.number(),
  count: v.number(),
});

/** Maps of the engine's user namespace. `single`: no subordinate ids, container root is all there is. */
export const idMapSchema = v.object({
  mode: v.picklist(['subid', 'single']),
  uids: v.array(idExtentSchema),
  gids: v.array(idExtentSchema),
});

/** The way out of the engine's network namespace, or why there is none. */
export const uplinkSchema = v.variant('driver', [
  v.object({
    driver: v.picklist(['slirp4netns', 'pasta']),
    version: v.string(),
    /** Interface inside the engine's namespace. */
    interfaceName: v.string(),
    /** Network of the uplink, e.g. `10.0.2.0/24`; the address inside, the way out, the DNS forwarder. */
    cidr: v.string(),
    address: v.string(),
    gateway: v.string(),
    nameserver: v.string(),
    mtu: v.number(),
    /** IPv6 leads out as well. */
    ipv6: v.optional(v.boolean(), false),
    /** Control socket of a helper that has one. */
    apiSocketPath: v.optional(v.string()),
  }),
  v.object({ driver: v.literal('none'), reason: v.string() }),
]);

/** The host's `/etc/resolv.conf`, parsed. */
export const resolverSchema = v.object({
  nameservers: v.array(v.string()),
  search: v.array(v.string()),
  options: v.array(v.string()),
});

/** Control groups as the host sees them. */
export const cgroupFactsSchema = v.object({
  layout: v.picklist(['v2', 'v1', 'hybrid', 'none']),
  /** Where a v2 hierarchy is mounted. */
  unifiedMount: v.optional(v.string()),
  /** The group that is ours to divide, as a path within that hierarchy. No process is in it itself. */
  own: v.optional(v.string()),
  /** Why there is none, as the end of a sentence. */
  lack: v.optional(v.string()),
});

/** An OCI runtime from the configuration. */
export const runtimeEntrySchema = v.object({ path: v.string(), args: v.array(v.string()) });

/** A range, `address/n`, that is cut into networks with a prefix of `size` bits. */
export const subnetPoolSchema = v.object({ base: v.string(), size: v.number() });

/** Settings of `daemon.json`, environment and flags that the engine acts on. */
export const engineSettingsSchema = v.object({
  logLevel: v.picklist(['debug', 'info', 'warn', 'error', 'fatal']),
  logFormat: v.picklist(['text', 'json']),
  registryMirrors: v.array(v.string()),
  insecureRegistries: v.array(v.string()),
  /** Proxies on the way to registries; empty texts for none. */
  proxies: v.object({ httpProxy: v.string(), httpsProxy: v.string(), noProxy: v.string() }),
  /** The `certs.d` directories of the user and of the machine, the first that knows a registry wins. */
  certificateDirectories: v.array(v.string()),
  /** No registry is asked for anything. */
  offline: v.boolean(),
  maxConcurrentDownloads: v.number(),
  maxConcurrentUploads: v.number(),
  /** Tries for a request to a registry, the first included. */
  maxDownloadAttempts: v.number(),
  /** Directories with descriptions of devices, the most important last. */
  cdiSpecDirs: v.array(v.string()),
  defaultRuntime: v.optional(v.string()),
  /** User namespace mode of containers that name none. */
  defaultUserns: v.string(),
  runtimes: v.record(v.string(), runtimeEntrySchema),
  /** Driver and options of container logs, for containers that name none. */
  logDriver: v.optional(v.string()),
  logOptions: v.record(v.string(), v.string()),
  storageDriver: v.optional(v.string()),
  /** Directories with images that several users share; absolute. */
  additionalImageStores: v.array(v.string()),
  /** What bind mounts may be of; absent for everything. */
  sharedPlaces: v.optional(v.array(v.string())),
  /** Limits of caches. */
  builderGc: gcSettingsSchema,
  /** All containers reach the host's loopback. */
  hostLoopback: v.boolean(),
  /** What becomes of published ports that the system keeps from the user. */
  privilegedPorts: v.picklist(['refuse', 'auto-remap']),
  /** Address and prefix length of the default bridge, e.g. `172.17.0.1/16`. */
  bip: v.optional(v.string()),
  /** Part of the default bridge's network that addresses are chosen from, e.g. `172.17.8.0/24`. */
  fixedCidr: v.optional(v.string()),
  /** Absent without IPv6 on the default bridge; its network, e.g. `fd00:1::/64`, when one was named. */
  bridgeIpv6: v.optional(v.object({ subnet: v.optional(v.string()) })),
  /** Ranges that subnets of networks are cut from; Docker's when there is none. */
  addressPools: v.array(subnetPoolSchema),
  /** Seconds that containers get to stop when the daemon is told to; -1 for no limit. */
  shutdownTimeoutSeconds: v.number(),
});

/** A socket for the API that the host has bound; the engine takes it over by its id. */
export const apiListenerSchema = v.object({
  listenerId: v.string(),
  /** As the user wrote it: `unix:///…`, `tcp://…`, `fd://…`. */
  address: v.string(),
});

/** Everything the engine learns from the host, once for each connection. */
export const hostFactsSchema = v.object({
  version: v.string(),
  hostPid: v.number(),
  dataRoot: v.string(),
  execRoot: v.string(),
  /** The account that runs the daemon. */
  user: v.object({ uid: v.number(), gid: v.number(), name: v.string(), home: v.string() }),
  hostname: v.string(),
  idMap: idMapSchema,
  uplink: uplinkSchema,
  resolver: resolverSchema,
  /** IPv4 networks that the host has routes to, as `a.b.c.d/n`; pools must not collide with them. */
  hostRoutes: v.array(v.string()),
  /** An IPv4 address of the host that is not loopback, for `host-gateway`; empty without one. */
  hostAddress: v.string(),
  cgroup: cgroupFactsSchema,
  apiListeners: v.array(apiListenerSchema),
  settings: engineSettingsSchema,
  /** What the host lacks, as sentences with the cure; for `Warnings` of `docker info`. */
  warnings: v.array(v.string()),
});

export type IdMap = v.InferOutput<typeof idMapSchema>;
export type Uplink = v.InferOutput<typeof uplinkSchema>;
export type ResolverFacts = v.InferOutput<typeof resolverSchema>;
export type CgroupFacts = v.InferOutput<typeof cgroupFactsSchema>;
export type SubnetPool = v.InferOutput<typeof subnetPoolSchema>;
export type RuntimeEntry = v.InferOutput<typeof runtimeEntrySchema>;
export type ApiListener = v.InferOutput<typeof apiListenerSchema>;
export type HostFacts = v.InferOutput<typeof hostFactsSchema>;
