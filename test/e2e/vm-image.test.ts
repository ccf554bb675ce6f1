/** The image of the virtual machine, built from the packages of the machine's mirror, and booted. */
import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { debianMirror } from '../../scripts/setup/docker-clients.ts';
import { resolvePackages } from '../../scripts/vm/resolve-packages.ts';
import type { VmImageReport } from '../../src/host/vm-control.ts';
import { readPins, readRecipe } from '../../src/vm-image/recipe/recipe.ts';
import { requires } from '../support/capabilities.ts';
import { runCommand } from '../support/run-command.ts';
import { makeTestHome } from '../support/test-home.ts';

const CHECKOUT = join(import.meta.dirname, '../..');
const CLI = join(CHECKOUT, 'dist/cli.js');
const BUILD_TIMEOUT_MS = 240_000;
const BOOT_TIMEOUT_MS = 120_000;

test(
  'an ordinary user builds the image and boots it',
  requires('qemu', 'erofs', 'apt-mirror'),
  async () => {
    await using home = await makeTestHome();
    // The mirror has only today's packages, so the pins are of today too.
    const recipeDir = join(home.root, 'recipe');
    await cp(join(CHECKOUT, 'vm'), recipeDir, { recursive: true });
    const archive = debianMirror();
    const { packages } = await resolvePackages(await readRecipe(recipeDir), 'amd64', archive);
    const pins = { ...(await readPins(recipeDir, 'amd64')), packages };
    await writeFile(join(recipeDir, 'pins-amd64.json'), JSON.stringify(pins));

    const image = join(home.root, 'image');
    const flags = ['--recipe', recipeDir, '--archive', archive, '--output', image, '--json'];
    const env = { ...process.env, ...home.env };
    const built = await runCommand([process.execPath, CLI, 'vm', 'build-image', ...flags], {
      env,
      timeoutMs: BUILD_TIMEOUT_MS,
    });
    assert.equal(built.code, 0, built.stderr);
    const report = JSON.parse(built.stdout) as VmImageReport;
    assert.deepEqual(
      report.files.map(({ name }) => name),
      ['vmlinuz', 'initrd', 'root.erofs'],
    );
    const checked = await runCommand(['fsck.erofs', join(image, 'root.erofs')]);
    assert.equal(checked.code, 0, checked.stdout + checked.stderr);

    const booted = await runCommand(
      [
        ...['qemu-system-x86_64', '-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
        ...['-smp', '2', '-m', '512', '-nodefaults', '-no-user-config', '-display', 'none'],
        ...['-no-reboot', '-serial', 'stdio', '-kernel', join(image, 'vmlinuz')],
        ...['-initrd', join(image, 'initrd'), '-append', 'console=ttyS0 quiet panic=-1'],
        ...['-drive', `file=${join(image, 'root.erofs')},if=virtio,format=raw,readonly=on`],
      ],
      { timeoutMs: BOOT_TIMEOUT_MS },
    );
    assert.match(booted.stdout, /wherry: the root file system is there/, booted.stderr);
  },
);
