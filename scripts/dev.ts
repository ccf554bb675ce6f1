/**
 * `npm run dev`: the daemon from its sources in a throw-away home, restarted when a source changes. Containers
 * and images of the home go with it when the command is ended.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { $, chalk } from 'zx';

const ROOT = dirname(import.meta.dirname);

const home = mkdtempSync(join(tmpdir(), 'wherry-dev-'));
const places = {
  HOME: home,
  XDG_RUNTIME_DIR: join(home, 'run'),
  XDG_DATA_HOME: join(home, 'data'),
  XDG_CONFIG_HOME: join(home, 'config'),
};
for (const dir of Object.values(places)) mkdirSync(dir, { recursive: true, mode: 0o700 });

const sh = $({ cwd: ROOT, stdio: 'inherit', nothrow: true, env: { ...process.env, ...places } });
process.on('SIGINT', () => console.log('ending'));

console.log(chalk.dim(`export DOCKER_HOST=unix://${places.XDG_RUNTIME_DIR}/wherry/docker.sock`));
await sh`npx tsx watch --clear-screen=false src/bin/cli.ts daemon --log-level debug`;
await sh`npx tsx src/bin/cli.ts down`;
rmSync(home, { recursive: true, force: true });
