/** Facts of a made-up engine. */
import type { SystemInfo } from '../../src/engine/system/system-info.ts';
import { NO_LIMITS } from './fake-limits.ts';

/** Answers of `info` that no test changes. */
export const FAKE_INFO: SystemInfo = {
  id: 'ID',
  name: 'host',
  containers: { running: 1, paused: 0, stopped: 2 },
  images: 1,
  storageDriver: 'overlay',
  storageStatus: [['Backing Filesystem', 'tmpfs']],
  dataRoot: '/data',
  kernelVersion: '6.1.0',
  operatingSystem: 'Debian GNU/Linux 12',
  osVersion: '12',
  architecture: 'x86_64',
  cpus: 2,
  memoryBytes: 1 << 30,
  cgroupDriver: 'none',
  cgroupVersion: '2',
  limits: NO_LIMITS,
  defaultRuntime: 'crun',
  runtimes: [{ name: 'crun', path: '/usr/bin/crun', version: '1.8.1' }],
  monitorVersion: '2.1.6',
  securityOptions: ['name=seccomp,profile=builtin', 'name=rootless'],
  indexServerAddress: 'https://index.docker.io/v1/',
  insecureRegistries: ['10.0.0.0/8', 'registry.local:5000'],
  registryMirrors: [],
  httpProxy: '',
  httpsProxy: '',
  noProxy: '',
  warnings: [],
  serverVersion: '28.5.2',
  usage: { openFiles: 10, eventListeners: 0 },
  rootlessNetwork: { driver: 'slirp4netns', version: '1.2.0' },
  debug: false,
};
