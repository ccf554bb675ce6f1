import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startDaemon } from '../support/daemon.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';
import { StandInJournal } from '../support/journal.ts';
import { makeTestHome } from '../support/test-home.ts';

test('the driver journald gives the journal everything, and says so where there is none', async () => {
  await using home = await makeTestHome();
  const dir = join(home.root, 'journal');
  await mkdir(dir);
  const surroundings = `mount -t tmpfs run /run && mkdir /run/systemd && ln -s ${dir} /run/systemd/journal`;
  await using daemon = await startDaemon({ home, surroundings });
  const options = ['--log-driver', 'journald', '--log-opt', 'tag={{.Name}}'];
  const flags = [...options, '--log-opt', 'labels=com.app', '--label', 'com.app=web'];

  const refused = await daemon.docker('run', '--rm', ...flags, BUSYBOX, 'true');
  assert.equal(refused.code, 125);
  assert.match(refused.stderr, /journald is not enabled on this host: nobody receives at \/run/);

  using journal = new StandInJournal(join(dir, 'socket'));
  await daemon.ok('run', '--name', 'told', ...flags, BUSYBOX, 'sh', '-c', 'echo a; echo b >&2');
  assert.equal(await daemon.ok('logs', '--details', 'told'), 'COM_APP=web a');
  assert.equal(await daemon.ok('inspect', '-f', '{{.LogPath}}', 'told'), '');
  const id = await daemon.ok('inspect', '-f', '{{.Id}}', 'told');
  const entries = await eventually(() => journal.entries.length === 2 && journal.entries);
  const [first, second] = [...entries].sort((a, b) =>
    (a['MESSAGE'] ?? '').localeCompare(b['MESSAGE'] ?? ''),
  );
  const { SYSLOG_TIMESTAMP: time, ...rest } = first ?? {};
  assert.match(time ?? '', /^20.*Z$/);
  assert.deepEqual(rest, {
    MESSAGE: 'a',
    PRIORITY: '6',
    CONTAINER_ID: id.slice(0, 12),
    CONTAINER_ID_FULL: id,
    CONTAINER_NAME: 'told',
    CONTAINER_TAG: 'told',
    IMAGE_NAME: BUSYBOX,
    SYSLOG_IDENTIFIER: 'told',
    COM_APP: 'web',
  });
  assert.deepEqual([second?.['MESSAGE'], second?.['PRIORITY']], ['b', '3']);

  await daemon.ok('run', '--rm', ...flags, BUSYBOX, 'echo', 'brief');
  assert.ok(journal.entries.some(({ MESSAGE }) => MESSAGE === 'brief'));
});
