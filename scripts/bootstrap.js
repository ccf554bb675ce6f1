/**
 * The door of a fresh clone: needs nothing but Node. Installs the packages of package-lock.json when they are
 * missing or differ, then runs `scripts/<name>.ts` with the remaining arguments.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = [20, 12];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The `packages` table of a lock file, or undefined when there is no such file. */
function lockedPackages(...path) {
  try {
    return JSON.parse(readFileSync(join(root, ...path), 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/** True when every package that is not optional is installed in the locked version. */
function isInstalled() {
  const wanted = lockedPackages('package-lock.json') ?? {};
  const present = lockedPackages('node_modules', '.package-lock.json');
  if (present === undefined) return false;
  return Object.entries(wanted).every(
    ([path, entry]) =>
      path === '' || entry.optional === true || present[path]?.version === entry.version,
  );
}

function run(file, args) {
  const { status, error, signal } = spawnSync(file, args, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) console.error(`${file}: ${error.message}`);
  if (signal !== null) console.error(`${file} was ended by ${signal}`);
  return status ?? 1;
}

function main([name, ...args]) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
    console.error(`Node ${OLDEST_NODE.join('.')} or newer is needed, this is ${process.version}`);
    return 1;
  }
  if (!/^[a-z-]+$/.test(name ?? '')) {
    console.error('usage: node scripts/bootstrap.js NAME [ARGUMENT...]');
    return 1;
  }
  if (!isInstalled()) {
    // Not `npm ci`: it refuses the lock file when a mirror lacks optional packages of other platforms.
    const status = run('npm', ['install', '--no-save', '--no-audit', '--no-fund']);
    if (status !== 0) return status;
  }
  return run(process.execPath, ['--import', 'tsx', join('scripts', `${name}.ts`), ...args]);
}

process.exitCode = main(process.argv.slice(2));
