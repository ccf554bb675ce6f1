/**
 * Renews `vm/pins-*.json` from the Debian mirror and the registry of npm that this machine is configured with (or the
 * mirror that DEBIAN_ARCHIVE names): `tsx scripts/vm-pins.ts`. Run it to take security updates into the image, and when
 * the recipe names other packages.
 */
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configuredNpmRegistry } from '../src/bin/npm-registry.ts';
import { npmName } from '../src/vm-image/recipe/npm-name.ts';
import { ARCHITECTURES, type Pins, readRecipe } from '../src/vm-image/recipe/recipe.ts';
import { debianMirror } from './setup/docker-clients.ts';
import { get } from './vm/debian-archive.ts';
import { resolvePackages } from './vm/resolve-packages.ts';

const RECIPE_DIR = join(dirname(import.meta.dirname), 'vm');
/** Keeps every state that the archive ever had. */
const SNAPSHOTS = 'https://snapshot.debian.org/archive/debian';

async function integrityOf(name: string, version: string): Promise<string> {
  const text = (await get(`${npmRegistry}/${name}/${version}`)).toString();
  const { dist } = JSON.parse(text) as { dist: { integrity: string } };
  return dist.integrity;
}

const mirror = process.env['DEBIAN_ARCHIVE'] ?? debianMirror();
const npmRegistry = await configuredNpmRegistry();
const recipe = await readRecipe(RECIPE_DIR);
for (const architecture of ARCHITECTURES) {
  const { packages, madeAt } = await resolvePackages(recipe, architecture, mirror);
  const npm: Pins['npm'] = [];
  for (const { name: pattern, version } of recipe.npm) {
    const name = npmName(pattern, architecture);
    npm.push({ name, version, integrity: await integrityOf(name, version) });
  }
  const time = madeAt.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const archive = `${SNAPSHOTS}/${time}`;
  const pins: Pins = { v: 1, architecture, archive, packages, npm };
  const path = join(RECIPE_DIR, `pins-${architecture}.json`);
  writeFileSync(path, `${JSON.stringify(pins, undefined, 2)}\n`);
  console.log(`${path}: ${packages.length} packages, ${npm.length} of npm`);
}
