import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import { makeTestHome } from '../support/test-home.ts';

/** Deaths of the runtime while it creates a container: before it did anything, and once there is a process. */
const DEATHS = {
  early: 'kill -9 $$',
  late: `"$crun" "$@" & until ls "$root"/*/exec.fifo >/dev/null 2>&1; do kill -0 $! || exit 1; done; kill -9 $!; kill -9 $$`,
};

/** Of all processes: what the runtime makes has its arguments until it executes the program. */
async function commandLinesWith(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = (pid: string) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return (await Promise.all(pids.map(read))).filter((line) => line.includes(text));
}

test('a runtime that is killed during a start fails it, and leaves nothing', async () => {
  await using home = await makeTestHome();
  const flags: string[] = [];
  for (const [name, death] of Object.entries(DEATHS)) {
    const path = join(home.root, name);
    const script = `#!/bin/sh
crun=${findProgram('crun')}
for word; do case "$word" in --root=*) root=\${word#--root=};; esac; done
case "$*" in *create*wherry-probe*) ;; *" create "*) ${death};; esac
exec "$crun" "$@"
`;
    await writeFile(path, script);
    await chmod(path, 0o755);
    flags.push('--add-runtime', `${name}=${path}`);
  }
  await using daemon = await startDaemon({ home, flags });
  const runtimeDir = join(home.runtimeDir, 'wherry');
  for (const name of Object.keys(DEATHS)) {
    const run = ['run', '-d', '--name', name, '--runtime', name, BUSYBOX, 'sleep', '1000'];
    const { code, stderr } = await daemon.docker(...run);
    assert.equal(code, 125, stderr);
    assert.match(stderr, /failed to create task for container/);
    const state = ['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name];
    assert.equal(await daemon.ok(...state), 'created 128');
    assert.notEqual(await daemon.ok('inspect', '-f', '{{.State.Error}}', name), '');
    for (const dir of ['containers', 'sandboxes', 'rootfs', `runtimes/${name}`]) {
      assert.deepEqual(await readdir(join(runtimeDir, dir)), [], `${name}: ${dir}`);
    }
  }
  assert.deepEqual(await commandLinesWith(join(runtimeDir, 'runtimes/late')), []);
  assert.equal(await daemon.ok('run', '--rm', BUSYBOX, 'ps', '-o', 'args'), 'COMMAND\nps -o args');
});
