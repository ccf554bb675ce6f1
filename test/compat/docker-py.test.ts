import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUSYBOX } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { runCommand } from '../support/run-command.ts';

const needed = requires('docker-py', 'docker-registry');

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());

before(async () => {
  for (const name of ['alpine', 'ubuntu', 'busybox', 'bfirsh/reticulate-splines']) {
    await daemon.ok('tag', BUSYBOX, name);
  }
});

for (const group of ['Client', 'Containers', 'Exec', 'Volumes', 'Networks', 'Images']) {
  test(`docker-py's examples run: ${group}`, needed, async () => {
    // Debian's interpreter: others that may be on the path do not see its packages.
    const argv = ['/usr/bin/python3', '-B', '-m', 'unittest', '-v', `docker_py_examples.${group}`];
    const { code, stderr } = await runCommand(argv, {
      cwd: import.meta.dirname,
      env: { ...daemon.env, REGISTRY: registry.host },
    });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^Ran [1-9]\d* tests? in /m);
  });
}
