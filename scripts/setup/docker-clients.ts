/**
 * Docker clients of several ages, for tests that drive the daemon with each: the packages of suites of the Debian
 * mirror that this machine is configured for, unpacked into a cache. Nothing is installed, nothing of the machine's
 * apt is touched.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { isRoot } from './ordinary-user.ts';

/** A set of clients that were released together, named by the Debian suite that has them. */
export interface ClientSuite {
  readonly suite: string;
  /** The packages that hold the client and its plugins. */
  readonly packages: readonly string[];
}

/** Oldest first; the last is the newest that Debian has. */
export const CLIENT_SUITES: readonly ClientSuite[] = [
  { suite: 'bookworm', packages: ['docker.io'] },
  { suite: 'trixie', packages: ['docker-cli', 'docker-compose', 'docker-buildx'] },
  { suite: 'sid', packages: ['docker-cli', 'docker-compose', 'docker-buildx'] },
];

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const SOURCES = ['/etc/apt/sources.list', '/etc/apt/sources.list.d'];
/** The moving suite is looked up again after this time. */
const KEEP_MS = 7 * 24 * 3_600_000;

/** Where the clients of a suite are unpacked: `usr/bin/docker`, plugins in `usr/libexec/docker/cli-plugins`. */
export function clientDir(suite: string): string | undefined {
  return cacheDirs()
    .map((dir) => join(dir, suite))
    .find((dir) => existsSync(join(dir, 'usr/bin/docker')));
}

/** The suites whose clients have to be fetched, again or for the first time. */
export function missingClientSuites(): readonly ClientSuite[] {
  return CLIENT_SUITES.filter(({ suite }) => {
    const dir = clientDir(suite);
    return dir === undefined || Date.now() - fetchedAt(dir) > KEEP_MS;
  });
}

/** Fetches the clients of `wanted`. Rejects naming the mirror and what apt said when that lacks the suite. */
export async function fetchClients({ suite, packages }: ClientSuite): Promise<void> {
  const mirror = debianMirror();
  const [cache = ''] = cacheDirs();
  const fresh = join(cache, `.${suite}.${process.pid}`);
  try {
    mkdirSync(fresh, { recursive: true });
    await unpack({ mirror, suite, packages, into: fresh });
    await writeFile(join(fresh, 'fetched'), String(Date.now()));
    await $({ quiet: true })`chmod -R a+rX ${fresh}`;
    rmSync(join(cache, suite), { recursive: true, force: true });
    renameSync(fresh, join(cache, suite));
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

interface Order {
  readonly mirror: string;
  readonly suite: string;
  readonly packages: readonly string[];
  readonly into: string;
}

async function unpack({ mirror, suite, packages, into }: Order): Promise<void> {
  const apt = join(into, 'apt');
  for (const dir of ['etc/preferences.d', 'lists/partial', 'cache/archives/partial', 'debs']) {
    mkdirSync(join(apt, dir), { recursive: true });
  }
  const list = join(apt, 'etc/sources.list');
  await writeFile(list, `deb [signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  const options = [
    ...['-q', `-oDir::Etc=${join(apt, 'etc')}`, `-oDir::State::Lists=${join(apt, 'lists')}`],
    ...[
      `-oDir::Cache=${join(apt, 'cache')}`,
      '-oAPT::Sandbox::User=',
      '-oAPT::Update::Error-Mode=any',
    ],
  ];
  const run = $({ quiet: true, nothrow: true, cwd: join(apt, 'debs') });
  const steps = [
    () => run`apt-get ${options} update`,
    () => run`apt-get ${options} download ${packages}`,
  ];
  for (const step of steps) {
    const { exitCode, stderr } = await step();
    if (exitCode === 0) continue;
    throw new Error(`the mirror ${mirror} gives no docker clients of ${suite}: ${stderr.trim()}`);
  }
  for (const name of readdirSync(join(apt, 'debs'))) {
    await $({ quiet: true })`dpkg-deb -x ${join(apt, 'debs', name)} ${into}`;
  }
  rmSync(apt, { recursive: true });
}

/** The first of them is written to: root's is for everyone, an account's own only for itself. */
function cacheDirs(): readonly string[] {
  const shared = '/var/cache/wherry-test/clients';
  return isRoot() ? [shared] : [join(homedir(), '.cache/wherry-test/clients'), shared];
}

function fetchedAt(dir: string): number {
  const stamp = join(dir, 'fetched');
  return existsSync(stamp) ? Number(readFileSync(stamp, 'utf8')) : 0;
}

/** The mirror of Debian itself, as the machine's source lists name it. */
export function debianMirror(): string {
  const files = SOURCES.filter(existsSync).flatMap((path) =>
    path.endsWith('.d') ? readdirSync(path).map((name) => join(path, name)) : [path],
  );
  const mirror = mirrorIn(files.map((path) => readFileSync(path, 'utf8')).join('\n'));
  if (mirror === undefined) throw new Error(`no mirror of Debian in ${SOURCES.join(', ')}`);
  return mirror;
}

/** The first address in apt's source lists, of the one-line or of the deb822 form, that ends like Debian's own. */
export function mirrorIn(lists: string): string | undefined {
  const entry = /^(?:URIs:\s*|deb\s+(?:\[.*?\]\s+)?)(\S+\/debian)\/?(?:\s|$)/m;
  return entry.exec(lists)?.[1];
}
