/** The image of the virtual machine, built by the product from the packages of the machine's own mirror. */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianMirror } from '../../../scripts/setup/docker-clients.ts';
import { resolvePackages } from '../../../scripts/vm/resolve-packages.ts';
import type { VmImageReport } from '../../../src/host/vm-control.ts';
import { readPins, readRecipe } from '../../../src/vm-image/recipe/recipe.ts';
import { runCommand } from '../run-command.ts';
import type { TestHome } from '../test-home.ts';

const CHECKOUT = join(import.meta.dirname, '../../..');
const CLI = join(CHECKOUT, 'dist/cli.js');
const BUILD_TIMEOUT_MS = 240_000;

/** Builds for this processor into `outputDir`. Needs the capability `apt-mirror`, and the built programs. */
export async function buildVmImage(home: TestHome, outputDir: string): Promise<VmImageReport> {
  // The mirror has only today's packages, so the pins are of today too.
  const recipeDir = join(home.root, 'recipe');
  await cp(join(CHECKOUT, 'vm'), recipeDir, { recursive: true });
  const archive = debianMirror();
  const { packages } = await resolvePackages(await readRecipe(recipeDir), 'amd64', archive);
  const pins = { ...(await readPins(recipeDir, 'amd64')), packages };
  await writeFile(join(recipeDir, 'pins-amd64.json'), JSON.stringify(pins));
  const flags = ['--recipe', recipeDir, '--archive', archive, '--output', outputDir, '--json'];
  const built = await runCommand([process.execPath, CLI, 'vm', 'build-image', ...flags], {
    env: home.env,
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  assert.equal(built.code, 0, built.stderr);
  return JSON.parse(built.stdout) as VmImageReport;
}
