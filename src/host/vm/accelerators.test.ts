import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseAccelerator, kvmProblem, tryWith } from './accelerators.ts';

const HEADING = 'Accelerators supported in QEMU binary:';
const works = async () => undefined;

test('the best accelerator is taken that QEMU offers and that works', async () => {
  const chosen = (offered: string) => chooseAccelerator(`${HEADING}\n${offered}`, works);
  assert.deepEqual(await chosen('tcg\nkvm\n'), { accelerator: 'kvm', notes: [] });
  assert.equal((await chosen('hvf\ntcg')).accelerator, 'hvf');
  assert.equal((await chosen('whpx\r\ntcg\r\n')).accelerator, 'whpx');
});

test('one that does not work is passed over with its reason', async () => {
  const tried: string[] = [];
  const choice = await chooseAccelerator('tcg\nkvm\nhvf\n', async (name) => {
    tried.push(name);
    return name === 'kvm' ? 'no permission' : undefined;
  });
  assert.deepEqual(tried, ['kvm', 'hvf']);
  assert.deepEqual(choice, { accelerator: 'hvf', notes: ['QEMU cannot use kvm: no permission'] });
});

test('without any, the machine is said to be slow, and why', async () => {
  const choice = await chooseAccelerator('tcg\nwhpx\n', async () => 'no feature');
  assert.equal(choice.accelerator, 'tcg');
  assert.match(
    choice.notes.join('\n'),
    /without help by the processor.*\nQEMU cannot use whpx: no f/,
  );
  assert.equal((await chooseAccelerator('tcg\n', works)).notes.length, 1);
});

test('an accelerator is tried by starting QEMU with a machine that does not run, and its last words are the reason', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'accelerator-'));
  try {
    const program = join(dir, 'qemu');
    const script = `#!/bin/sh\necho "$@" >${dir}/asked\nread word\n[ "$word" = quit ] && [ "$5" = hvf ] && exit\necho first >&2\necho "qemu: no accelerator found" >&2\nexit 1\n`;
    await writeFile(program, script);
    await chmod(program, 0o755);
    assert.equal(await tryWith(program, 'q35')('hvf'), undefined);
    assert.match(
      await readFile(join(dir, 'asked'), 'utf8'),
      /^-M q35 -S -accel hvf -cpu host .*-monitor stdio/,
    );
    const problem = await tryWith(program, 'q35')('whpx');
    assert.match(problem ?? '', /^qemu: no accelerator found; turn on the Windows feature/);
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('a KVM device that is missing or somebody else’s comes with the cure', {
  skip: process.getuid?.() === 0 && 'root may open everything',
}, async () => {
  assert.match(kvmProblem('/dev/null/kvm') ?? '', /there is no .*nested virtualisation/);
  const dir = await mkdtemp(join(tmpdir(), 'kvm-'));
  try {
    const device = join(dir, 'kvm');
    await writeFile(device, '', { mode: 0o600 });
    assert.equal(kvmProblem(device), undefined);
    await chmod(device, 0o000);
    assert.match(kvmProblem(device) ?? '', /not this user’s to open; .*usermod -aG kvm/);
  } finally {
    await rm(dir, { recursive: true });
  }
});
