import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { after, test } from 'node:test';
import { CrashRig, VICTIMS } from '../support/crash/crash-rig.ts';
import { eventually } from '../support/eventually.ts';
import { BUSYBOX } from '../support/images.ts';

const rig = await CrashRig.start();
after(() => rig[Symbol.asyncDispose]());
const { daemon } = rig;

const inspect = (name: string) => rig.must([200], `GET /containers/${name}/json`);

/** A terminal session as `docker attach` opens it. */
function attach(name: string): Promise<Duplex> {
  const path = `/containers/${name}/attach?stream=1&stdin=1&stdout=1&stderr=1`;
  const headers = { connection: 'Upgrade', upgrade: 'tcp' };
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: daemon.socketPath, path, method: 'POST', headers });
    call.on('upgrade', (_response, socket) => resolve(socket));
    call.on('error', reject);
    call.end();
  });
}

/** Types a line and waits until the shell has carried it out. */
async function type(session: Duplex, line: string, expected: RegExp): Promise<void> {
  let seen = '';
  const hear = (chunk: Buffer) => {
    seen += chunk.toString();
  };
  session.on('data', hear);
  session.write(`${line}\n`);
  await eventually(() => expected.test(seen));
  session.off('data', hear);
}

for (const victim of VICTIMS) {
  test(`after a crash of ${victim} a terminal session is attachable and the same shell answers`, async () => {
    const name = `tty-${victim}`;
    await daemon.ok('run', '-dit', '--name', name, BUSYBOX, 'sh');
    const first = await attach(name);
    await type(first, 'x=kept; echo set-$x', /set-kept/);
    await rig.crash(victim);
    first.destroy();
    const second = await attach(name);
    await type(second, 'echo still-$x', /still-kept/);
    await rig.must([200], `POST /containers/${name}/resize?h=31&w=97`);
    await type(second, 'stty size', /31 97/);
    second.destroy();
    await daemon.ok('rm', '-f', name);
  });

  test(`after a crash of ${victim} health is probed on`, async () => {
    const name = `health-${victim}`;
    const probe = ['--health-cmd', 'true', '--health-interval', '200ms'];
    await daemon.ok('run', '-d', '--name', name, ...probe, BUSYBOX, 'sleep', '1000');
    const health = async () => (await inspect(name)).State.Health;
    await eventually(async () => (await health()).Status === 'healthy');
    await rig.crash(victim);
    const atCrash = new Date().toISOString();
    await eventually(async () => (await health()).Log.at(-1).Start > atCrash);
    assert.equal((await health()).Status, 'healthy');
    await daemon.ok('rm', '-f', name);
  });

  test(`after a crash of ${victim} a container that ended meanwhile is restarted by its policy`, async () => {
    const name = `policy-${victim}`;
    await daemon.ok('run', '-d', '--restart', 'always', '--name', name, BUSYBOX, 'sleep', '1000');
    const { Pid: before } = (await inspect(name)).State;
    await rig.crash(victim, () => process.kill(before, 'SIGKILL'));
    await eventually(async () => {
      const { State, RestartCount } = await inspect(name);
      return State.Running && State.Pid !== before && RestartCount === 1;
    });
    await daemon.ok('rm', '-f', name);
  });

  test(`a client that waits through a crash of ${victim} is told the exit code or loses its connection`, async () => {
    const name = `wait-${victim}`;
    await daemon.ok('run', '-d', '--name', name, BUSYBOX, 'sleep', '1000');
    const waiting = daemon.docker('wait', name);
    const { Pid } = (await inspect(name)).State;
    await rig.crash(victim);
    process.kill(Pid, 'SIGKILL');
    const { code, stdout } = await waiting;
    assert.ok(stdout === '137\n' || (victim !== 'host' && code !== 0), `${code} ${stdout}`);
    assert.equal(await daemon.ok('wait', name), '137');
    await daemon.ok('rm', name);
  });
}
