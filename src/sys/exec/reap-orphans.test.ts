import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { eventually } from '../../../test/support/eventually.ts';
import { becomeSubreaper } from '../libc.ts';
import { reapOrphans } from './reap-orphans.ts';

test('an orphan that still runs when orphans are buried is buried once it has ended', async () => {
  becomeSubreaper();
  const script = 'setsid sleep 1000 >/dev/null 2>&1 & echo $!';
  const pid = Number(execFileSync('sh', ['-c', script], { encoding: 'utf8' }));
  await eventually(() => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n');
  assert.equal(reapOrphans(), 0);
  process.kill(pid, 'SIGKILL');
  await eventually(() => !existsSync(`/proc/${pid}`), { withinMs: 5000 });
});
