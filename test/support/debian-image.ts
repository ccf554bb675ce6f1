/** A minimal Debian as an image, made by mmdebstrap from the mirrors that the machine itself uses. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ImageRecipe } from '../../scripts/image/image-archive.ts';
import { runCommand } from './run-command.ts';

const CACHE_DIR = join(homedir(), '.cache/wherry-test');
const APT_DIR = '/etc/apt';
/** Packages of mirrors can take a while. */
const BOOTSTRAP_TIMEOUT_MS = 300_000;

/**
 * The recipe of an image called `reference` with apt in it, ready to install more. The root file system is kept
 * for the next run, by suite and mirrors.
 */
export async function debianImage(reference: string): Promise<ImageRecipe> {
  const sources = distributionSources();
  const tarPath = join(CACHE_DIR, `debian-${keyOf(sources)}.tar`);
  if (!existsSync(tarPath)) await bootstrap(sources, tarPath);
  return {
    reference,
    created: '2025-01-01T00:00:00.000Z',
    config: {
      Cmd: ['bash'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    },
    layers: [{ tar: await readFile(tarPath), createdBy: 'mmdebstrap --variant=apt' }],
  };
}

/** Source lists of the distribution itself: third-party ones would pull in keys that the image does not have. */
function distributionSources(): readonly string[] {
  const listed = [
    join(APT_DIR, 'sources.list'),
    ...readdirSync(join(APT_DIR, 'sources.list.d')).map((name) =>
      join(APT_DIR, 'sources.list.d', name),
    ),
  ];
  const ours = listed.filter(
    (path) =>
      existsSync(path) && /\bdebian\b.*\bmain\b|URIs:.*\/debian/s.test(readFileSync(path, 'utf8')),
  );
  assert.ok(ours.length > 0, `no source list of Debian under ${APT_DIR}`);
  return ours;
}

async function bootstrap(sources: readonly string[], tarPath: string): Promise<void> {
  await mkdir(CACHE_DIR, { recursive: true });
  const partial = `${tarPath}.${process.pid}.tar`;
  const argv = ['mmdebstrap', '--mode=unshare', '--variant=apt', ...aptOptions()];
  const { code, stderr } = await runCommand([...argv, codename(), partial, ...sources], {
    timeoutMs: BOOTSTRAP_TIMEOUT_MS,
  });
  assert.equal(code, 0, `mmdebstrap: ${stderr.slice(-2000)}`);
  await rename(partial, tarPath);
}

/** Mirrors frozen in the past need this; others do not mind. */
function aptOptions(): readonly string[] {
  return ['--aptopt=Acquire::Check-Valid-Until "false"', '--skip=check/empty'];
}

function codename(): string {
  const release = readFileSync('/etc/os-release', 'utf8');
  const name = /^VERSION_CODENAME=(\w+)$/m.exec(release)?.[1];
  assert.ok(name !== undefined, 'no VERSION_CODENAME in /etc/os-release');
  return name;
}

function keyOf(sources: readonly string[]): string {
  const hash = createHash('sha256').update(codename());
  for (const path of sources) hash.update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}
