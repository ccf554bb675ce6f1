/** Platforms (`os/architecture[/variant]`) as in the OCI image index, and which of them run where. */

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
}

/** Other spellings of architectures, as people and `uname` write them. */
const ALIASES: ReadonlyMap<string, Platform> = new Map([
  ['x86_64', { os: '', architecture: 'amd64' }],
  ['x86-64', { os: '', architecture: 'amd64' }],
  ['aarch64', { os: '', architecture: 'arm64' }],
  ['armhf', { os: '', architecture: 'arm', variant: 'v7' }],
  ['armel', { os: '', architecture: 'arm', variant: 'v6' }],
  ['i386', { os: '', architecture: '386' }],
]);

/** Names that node's `process.arch` has for the architectures of images. */
const NODE_ARCHITECTURES: ReadonlyMap<string, Platform> = new Map([
  ['x64', { os: 'linux', architecture: 'amd64' }],
  ['arm64', { os: 'linux', architecture: 'arm64' }],
  ['arm', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['ia32', { os: 'linux', architecture: '386' }],
  ['ppc64', { os: 'linux', architecture: 'ppc64le' }],
  ['s390x', { os: 'linux', architecture: 's390x' }],
  ['riscv64', { os: 'linux', architecture: 'riscv64' }],
  ['loong64', { os: 'linux', architecture: 'loong64' }],
]);

/** What may stand alone, as containerd's parser of platforms knows it. */
const SYSTEMS = new Set(['linux', 'windows', 'darwin', 'freebsd', 'netbsd', 'openbsd', 'wasi']);
const ARCHITECTURES = new Set([
  ...['386', 'amd64', 'arm', 'arm64', 'loong64', 'mips', 'mipsle', 'mips64', 'mips64le'],
  ...['ppc64', 'ppc64le', 'riscv64', 's390x', 'wasm'],
]);

const PART = /^[A-Za-z0-9_.-]+$/;

/** The platform that images run on here, from node's `process.arch`. */
export function platformOfNodeArch(nodeArch: string): Platform {
  return NODE_ARCHITECTURES.get(nodeArch) ?? { os: 'linux', architecture: nodeArch };
}

/**
 * Parses `os/architecture[/variant]` or one of the two alone, which then has to be a known one; undefined when malformed.
 * An operating system alone takes the architecture of `host`.
 */
export function parsePlatform(text: string, host: Platform): Platform | undefined {
  const parts = text.toLowerCase().split('/');
  if (parts.length > 3 || !parts.every((part) => PART.test(part))) return undefined;
  const [first = '', second, variant] = parts;
  if (second === undefined) {
    if (SYSTEMS.has(first)) return { ...host, os: first };
    const platform = normalizePlatform({ os: host.os, architecture: first });
    return ARCHITECTURES.has(platform.architecture) ? platform : undefined;
  }
  return normalizePlatform({
    os: first,
    architecture: second,
    ...(variant === undefined ? {} : { variant }),
  });
}

/** The same platform in the usual spelling; variants that are the architecture's default are dropped. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ALIASES.get(platform.architecture.toLowerCase());
  const architecture = alias?.architecture ?? platform.architecture.toLowerCase();
  const given = platform.variant === '' ? undefined : (platform.variant ?? alias?.variant);
  const variant = normalizeVariant(architecture, given);
  const version = platform['os.version'];
  return {
    os: platform.os.toLowerCase(),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined || version === '' ? {} : { 'os.version': version }),
  };
}

function normalizeVariant(architecture: string, variant: string | undefined): string | undefined {
  if (architecture === 'arm64') return variant === 'v8' || variant === '8' ? undefined : variant;
  if (architecture === 'amd64') return variant === 'v1' ? undefined : variant;
  if (architecture === 'arm') {
    const number = /^v?([5-8])$/.exec(variant ?? 'v7')?.[1];
    return number === undefined ? variant : `v${number}`;
  }
  return variant;
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const variant = platform.variant === undefined ? '' : `/${platform.variant}`;
  return `${platform.os}/${platform.architecture}${variant}`;
}

/**
 * What a machine of platform `wanted` can run, best first: its own variant, then the lower ones, then the
 * 32-bit architecture that its processors also execute.
 */
export function runnablePlatforms(wanted: Platform): readonly Platform[] {
  const own = normalizePlatform(wanted);
  const { os, architecture } = own;
  const lower = lowerVariants(own);
  if (architecture === 'amd64') return [own, ...lower, { os, architecture: '386' }];
  if (architecture === 'arm64') {
    const arm = ['v8', 'v7', 'v6', 'v5'].map((variant) => ({ os, architecture: 'arm', variant }));
    return [own, ...lower, ...arm];
  }
  return [own, ...lower];
}

function lowerVariants(platform: Platform): readonly Platform[] {
  const { os, architecture } = platform;
  const level = Number(/^v(\d+)$/.exec(platform.variant ?? '')?.[1] ?? 0);
  const floor = architecture === 'arm' ? 5 : 1;
  const found: Platform[] = [];
  for (let below = level - 1; below >= floor; below--) {
    found.push(normalizePlatform({ os, architecture, variant: `v${below}` }));
  }
  if (platform.variant !== undefined && architecture !== 'arm' && level === 0) {
    found.push({ os, architecture });
  }
  return found;
}

/** The index of the best candidate for `wanted`, undefined when none can run there. */
export function choosePlatform(
  candidates: readonly (Platform | undefined)[],
  wanted: Platform,
): number | undefined {
  for (const acceptable of runnablePlatforms(wanted)) {
    const found = candidates.findIndex(
      (candidate) => candidate !== undefined && isSame(normalizePlatform(candidate), acceptable),
    );
    if (found >= 0) return found;
  }
  return undefined;
}

function isSame(one: Platform, other: Platform): boolean {
  return (
    one.os === other.os && one.architecture === other.architecture && one.variant === other.variant
  );
}
