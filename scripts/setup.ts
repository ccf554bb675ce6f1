/** Prepares the machine: `tsx scripts/setup.ts [test|try]`. Idempotent, and quick when nothing is missing. */
import { $, chalk } from 'zx';
import { missingDevices, provideDevices } from './setup/devices.ts';
import { hasDockerCli, installDockerCli } from './setup/docker-cli.ts';
import { fetchClients, missingClientSuites } from './setup/docker-clients.ts';
import {
  callingUser,
  commandAs,
  ensureSubordinateIds,
  hasSubordinateIds,
  isRoot,
  ordinaryUser,
} from './setup/ordinary-user.ts';
import { missingRequirements, type Purpose } from './setup/requirements.ts';

/** Provides what `purpose` needs. As root it installs; otherwise it throws a text that names each lack and its cure. */
export async function setUp(purpose: Purpose): Promise<void> {
  if (isRoot()) await provide(purpose);
  if (purpose === 'test') await fetchMissingClients();
  const lacks = await findLacks(purpose);
  if (lacks.length > 0) {
    throw new Error(['this machine lacks:', ...lacks.map((lack) => `  - ${lack}`)].join('\n'));
  }
}

async function provide(purpose: Purpose): Promise<void> {
  const packages = missingRequirements(purpose).map(({ packageName }) => packageName);
  const wantsClient = purpose === 'test' && !hasDockerCli();
  if (packages.length > 0 || wantsClient) {
    console.error(chalk.dim(`installing ${[...packages, wantsClient ? 'docker' : ''].join(' ')}`));
    const apt = $({ quiet: true, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
    await apt`apt-get update`;
    if (packages.length > 0) await apt`apt-get install -y --no-install-recommends ${packages}`;
    if (wantsClient) await installDockerCli();
  }
  await provideDevices();
  // The demonstration runs as the caller even when that is root; tests have an account of their own.
  if (purpose === 'try') await ensureSubordinateIds('root');
}

/** Tests of clients that could not be fetched are skipped with that reason; where nothing may be, this fails. */
async function fetchMissingClients(): Promise<void> {
  for (const suite of missingClientSuites()) {
    try {
      await fetchClients(suite);
    } catch (error) {
      if (process.env['CI'] !== undefined) throw error;
      console.error(chalk.yellow(error instanceof Error ? error.message : String(error)));
    }
  }
}

async function findLacks(purpose: Purpose): Promise<readonly string[]> {
  const tools = missingRequirements(purpose).map(
    ({ program, packageName }) => `${program}: sudo apt-get install ${packageName}`,
  );
  const client =
    purpose === 'test' && !hasDockerCli() ? ['docker: sudo apt-get install docker-cli'] : [];
  return [...tools, ...client, ...missingDevices(), ...(await accountLacks(purpose))];
}

async function accountLacks(purpose: Purpose): Promise<readonly string[]> {
  const user = purpose === 'test' ? await ordinaryUser() : callingUser();
  const ids = hasSubordinateIds(user)
    ? []
    : [
        `subordinate ids of ${user.name}: ` +
          `sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name}`,
      ];
  const command = commandAs(user, ['unshare', '--user', '--map-root-user', 'true']);
  const probe = await $({ quiet: true, nothrow: true })`${command}`;
  const cure = 'sudo sysctl user.max_user_namespaces=15000 kernel.unprivileged_userns_clone=1';
  return probe.exitCode === 0 ? ids : [...ids, `user namespaces (${probe.stderr.trim()}): ${cure}`];
}

if (process.argv[1] === import.meta.filename) {
  const [purpose = 'test'] = process.argv.slice(2);
  try {
    await setUp(purpose === 'try' ? 'try' : 'test');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
