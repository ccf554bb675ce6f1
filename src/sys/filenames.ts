/** Every file name this program makes, one place for each. docs/state-layout.md lists the same names. */

/** Names below the data directory: what survives a reboot. */
export const DATA_NAMES = {
  /** Version of the whole layout. */
  layoutFile: 'layout.json',
  /** Held by the engine process: the data has one writer, whatever runtime directory it was started with. */
  engineLock: 'engine.lock',
  /** The engine's own id, for `docker info`. */
  engineIdFile: 'engine-id.json',
  /** The daemon's own log when it runs in the background. */
  daemonLog: 'daemon.log',
  /** Blobs, as an OCI image layout. */
  contentDir: 'content',
  /** Which names mean which images: `<config digest in hex>.json`. */
  imagesDir: 'images',
  /** Layers and root file systems: `<driver>/<n>`. */
  snapshotsDir: 'snapshots',
  containersDir: 'containers',
  networksDir: 'networks',
  volumesDir: 'volumes',
  /** The image of the virtual machine. */
  vmImageDir: 'vm-image',
  /** Directories of build clients, kept from one build to the next. */
  buildContextsDir: 'build-contexts',
  /** What builds left for later ones: `<key in hex>.json`. */
  buildCacheDir: 'build-cache',
  /** Directories of `RUN --mount=type=cache`, by the key of their record. */
  cacheMountsDir: 'build-cache-mounts',
  /** Files of running builds. */
  buildsDir: 'builds',
  /** Everything that the virtual machine keeps: an ext4 file system that the guest made. */
  vmDataDisk: 'vm-data.raw',
  /** On Windows: the disk of the distribution, and what root it has. */
  wslDir: 'wsl',
  /** Documents that could not be read, each with its reason. */
  corruptDir: 'corrupt',
} as const;

/** Names inside the content directory (OCI image layout specification, except the last). */
export const CONTENT_NAMES = {
  layoutMarker: 'oci-layout',
  index: 'index.json',
  blobsDir: 'blobs/sha256',
  /** Blobs being written; nobody else sees them. */
  ingestDir: 'ingest',
} as const;

/** Names inside a container's directory of the data directory. */
export const CONTAINER_NAMES = {
  document: 'container.json',
  /** Output of the container in the k8s-file format, written by the monitor. */
  log: 'container.log',
  /** How much of the log the journal of the machine has (log driver `journald`). */
  journalProgress: 'journald.progress',
  hosts: 'hosts',
  hostname: 'hostname',
  resolvConf: 'resolv.conf',
} as const;

/** After the id of a container: its log in Docker's own format and under Docker's name. */
export const JSON_LOG_ENDING = '-json.log';

/** Names inside a volume's directory. */
export const VOLUME_NAMES = {
  document: 'volume.json',
  /** What containers see of the volume. */
  dataDir: '_data',
} as const;

/** Names below the runtime directory: what dies at reboot. */
export const RUNTIME_NAMES = {
  /** The Docker API. */
  apiSocket: 'docker.sock',
  /** Messages between host and engine. */
  hostSocket: 'host.sock',
  /** Listening sockets handed from host to engine. */
  handlesSocket: 'handles.sock',
  /** Held by the host process. */
  hostLock: 'host.lock',
  /** The processes of the machine: anchor, network helper, engine. */
  machineFile: 'machine.json',
  /** The machine that an engine has already begun to work in. */
  engineMark: 'engine.mark',
  /** Control socket of the network helper. */
  uplinkSocket: 'uplink.sock',
  /** What the network helper printed. */
  uplinkLog: 'uplink.log',
  /** Process id of the network helper, while pasta starts. */
  uplinkPid: 'uplink.pid',
  /** Bound over `/etc/resolv.conf` in the engine's mount namespace. */
  resolvConf: 'resolv.conf',
  containersDir: 'containers',
  /** One file per ended container, named by its id, holding the exit code. */
  exitsDir: 'exits',
  sandboxesDir: 'sandboxes',
  /** Short names of layer directories: the kernel limits the length of mount options. */
  layerLinksDir: 'l',
  /** Mount points of root file systems, by container id. */
  rootfsDir: 'rootfs',
  /** Paths inside of volumes that containers have mounted, by container id. */
  pinsDir: 'pins',
  /** Where files of containers are mounted while clients read or write them. */
  treesDir: 'trees',
  /** Secrets and sockets of ssh agents for commands of builds, on a file system in memory. */
  buildSecretsDir: 'build-secrets',
  /** The process of the virtual machine. */
  vmRecord: 'vm.json',
  /** The channel to it. */
  vmChannel: 'vm.sock',
  /** What it prints. */
  vmConsole: 'vm-console.log',
  /** The disk with our programs for it. */
  vmPrograms: 'vm-programs.erofs',
  /** State of the OCI runtimes, one directory for each runtime. */
  runtimesDir: 'runtimes',
} as const;

/** Names inside a container's directory of the runtime directory. */
export const TASK_NAMES = {
  bundleDir: 'bundle',
  /** In the bundle: the OCI runtime's input. */
  config: 'config.json',
  /** In the bundle: the monitor's socket for stdin. */
  attachSocket: 'attach',
  /** In the bundle: the monitor's fifo for terminal sizes. */
  controlFifo: 'ctl',
  /** The running task: process identities of container and monitor. */
  task: 'task.json',
  /** Pid of the init process, written by the OCI runtime. */
  pidFile: 'pid',
  /** Made by the monitor when the kernel killed the container for want of memory. */
  oomMarker: 'oom',
} as const;

/** Names inside a sandbox's directory. */
export const SANDBOX_NAMES = {
  /** The pinned network namespace (a bind mount). */
  netns: 'netns',
  document: 'sandbox.json',
} as const;

/** `sun_path` of unix(7) holds 108 bytes, the last of them a NUL. */
export const LONGEST_SOCKET_PATH_BYTES = 107;
