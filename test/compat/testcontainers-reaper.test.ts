import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { REAPER_IMAGE } from 'testcontainers/build/reaper/reaper.js';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { startCommand } from '../support/run-command.ts';
import { readyForTestcontainers } from '../support/testcontainers.ts';

const SESSION = join(import.meta.dirname, '../fixtures/testcontainers-session.ts');

const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());
const env = await readyForTestcontainers(daemon);

test('what a killed test process left behind is reaped through the mounted socket', async () => {
  await using session = startCommand([process.execPath, '--import', 'tsx', SESSION], { env });
  await session.printed(/^started (\w+)$/m, 60_000);
  const running = await daemon.ok('ps', '--format', '{{.Image}}');
  assert.deepEqual(running.split('\n').toSorted(), [REAPER_IMAGE, 'wherry/busybox:latest']);
  const reaper = await daemon.ok('ps', '-q', '--filter', `ancestor=${REAPER_IMAGE}`);
  const mount = '{{range .Mounts}}{{.Source}} {{.Destination}}{{end}}';
  assert.equal(
    await daemon.ok('inspect', '-f', mount, reaper),
    `${daemon.socketPath} /var/run/docker.sock`,
  );
  assert.match(
    await daemon.ok('network', 'ls', '--format', '{{.Driver}} {{.Labels}}'),
    /org\.testcontainers=true/,
  );

  await using logs = daemon.watch({}, 'logs', '-f', reaper);
  session.kill('SIGKILL');
  await logs.printed(/"containers":1,"networks":1/, 40_000);
  await eventually(async () => (await daemon.ok('ps', '-aq')) === '');
  const networks = await daemon.ok('network', 'ls', '--format', '{{.Name}}');
  assert.deepEqual(networks.split('\n').toSorted(), ['bridge', 'host', 'none']);
});
