/**
 * Who may import whom under `src/`. The table is the authority; docs/architecture.md explains it.
 *
 * A permission names a layer (`sys`), a file or folder of it (`sys/exec`, `host/machine.ts`), or with `/*` the port
 * files at a layer's root (`storage/*`). The suffix `:types` permits only imports that vanish at run time.
 */
import type { ImportEdge } from './import-scan.ts';

const LEAVES = ['shared', 'oci', 'wire', 'handshake', 'dockerfile'];

/** Permissions of each layer besides itself. `bin` composes and may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  oci: ['shared'],
  wire: ['shared', 'oci'],
  handshake: ['shared', 'oci', 'wire'],
  dockerfile: ['shared', 'oci', 'wire'],
  cli: [...LEAVES, 'client', 'host/*:types'],
  client: LEAVES,
  api: [
    ...[...LEAVES, 'engine:types'],
    ...['runtime/*:types', 'storage/*:types', 'distribution/*:types', 'network/*:types'],
    'builder/*:types',
  ],
  engine: [
    ...LEAVES,
    'state',
    ...['runtime/*:types', 'storage/*:types', 'distribution/*:types', 'network/*:types'],
    ...['builder/*:types', 'api/backends.ts:types', 'api/image-backend.ts:types'],
    'api/network-backend.ts:types',
  ],
  runtime: [...LEAVES, 'sys', 'state'],
  storage: [...LEAVES, 'sys', 'state'],
  distribution: [...LEAVES, 'sys/fs', 'sys/compression', 'storage/*:types'],
  network: [...LEAVES, 'sys', 'state', 'slirp4netns/control-socket.ts'],
  builder: [
    ...[...LEAVES, 'sys', 'state'],
    ...['runtime/*:types', 'storage/*:types', 'network/*:types', 'distribution/*:types'],
  ],
  state: [...LEAVES, 'sys/fs'],
  sys: ['shared'],
  slirp4netns: ['shared', 'sys/exec'],
  pasta: ['shared', 'sys/exec'],
  host: [...LEAVES, 'sys', 'channel', 'slirp4netns', 'pasta'],
  channel: ['shared'],
  guest: [...LEAVES, 'sys', 'channel'],
  'vm-image': ['shared', 'sys/fs', 'sys/system-errors.ts'],
};

/** Packages that only some places may import. */
const PACKAGE_RULES: readonly { package: RegExp; allowed: RegExp; where: string }[] = [
  { package: /^node:child_process$/, allowed: /^sys\/exec\//, where: 'sys/exec' },
  { package: /^koffi$/, allowed: /^sys\//, where: 'sys' },
  { package: /^(hono|@hono)(\/|$)/, allowed: /^api\//, where: 'api' },
  { package: /^ws$/, allowed: /^api\//, where: 'api' },
  { package: /^citty$/, allowed: /^(cli|bin)\//, where: 'cli and bin' },
  { package: /^consola(\/|$)/, allowed: /^(cli|bin)\//, where: 'cli and bin' },
  {
    package: /^@bufbuild\/protobuf(\/|$)/,
    allowed: /^builder\/buildkit\//,
    where: 'builder/buildkit',
  },
  { package: /^node:http2$/, allowed: /^builder\/buildkit\//, where: 'builder/buildkit' },
  { package: /^lowdb(\/|$)/, allowed: /^state\//, where: 'state' },
  { package: /^xz-decompress$/, allowed: /^vm-image\//, where: 'vm-image' },
  { package: /^zx(\/|$)/, allowed: /^$/, where: 'scripts and tests' },
  {
    package: /^node:fs(\/|$)/,
    allowed: /^(?!(api|engine|wire|shared|oci|handshake|dockerfile|client)\/)/,
    where: 'sys, state, the drivers, host, cli and bin',
  },
];

/** Why `edge` is forbidden, or undefined when it is allowed. Tests may import what they like. */
export function violationOf(edge: ImportEdge): string | undefined {
  if (edge.from.endsWith('.test.ts')) return undefined;
  return edge.isPackage ? packageViolation(edge) : layerViolation(edge);
}

function packageViolation({ from, to, typeOnly }: ImportEdge): string | undefined {
  const broken = PACKAGE_RULES.find((rule) => rule.package.test(to) && !rule.allowed.test(from));
  if (broken === undefined || typeOnly) return undefined;
  return `src/${from} imports ${to}, which only ${broken.where} may`;
}

function layerViolation({ from, to, typeOnly }: ImportEdge): string | undefined {
  const layer = from.split('/')[0] ?? '';
  if (to.startsWith('..')) return `src/${from} imports ${to} outside of src`;
  if (layer === 'bin' || to.startsWith(`${layer}/`)) return undefined;
  const permissions = MAY_IMPORT[layer];
  if (permissions === undefined) return `src/${from} is in no known layer`;
  if (permissions.some((permission) => permits(permission, to, typeOnly))) return undefined;
  return `src/${from} imports ${typeOnly ? 'types of ' : ''}src/${to}; ${layer} may not`;
}

function permits(permission: string, to: string, typeOnly: boolean): boolean {
  const [target = '', kind] = permission.split(':');
  if (kind === 'types' && !typeOnly) return false;
  if (!target.endsWith('/*')) return to === target || to.startsWith(`${target}/`);
  const layer = target.slice(0, -1);
  return to.startsWith(layer) && !to.slice(layer.length).includes('/');
}
