import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { requires } from '../support/capabilities.ts';
import { type GuestStep, runGuest } from '../support/guest/run-guest.ts';

// The machine that runs the tests rarely gives its users control groups. This guest does: its user 1000 has a delegated
// group, and everything below is what the docker client printed there.

const SCRIPT = join(import.meta.dirname, '../fixtures/limits-guest.sh');
const MB = 1 << 20;

const needs = requires('qemu', 'apt-mirror', 'crun', 'runc', 'conmon', 'docker-cli', 'busybox');

describe('limits by control groups, in a guest', needs, () => {
  let steps: ReadonlyMap<string, GuestStep>;

  before(async () => {
    steps = await runGuest(await readFile(SCRIPT, 'utf8'));
  });

  const step = (name: string): GuestStep => {
    const found = steps.get(name);
    assert.ok(found !== undefined, `no step ${name}: ${steps.get('daemon')?.output}`);
    return found;
  };
  const output = (name: string): string => {
    const { output: text, code } = step(name);
    assert.equal(code, 0, `${name}: ${text}\n${steps.get('daemon')?.output}`);
    return text;
  };

  it('the daemon divides the group that it is in, and info says what can be limited', () => {
    const [controllers = '', ownMembers, group] = output('groups').split('\n');
    assert.deepEqual(controllers.split(' ').toSorted(), ['cpu', 'cpuset', 'io', 'memory', 'pids']);
    assert.deepEqual([ownMembers, group], ['0', '0::/u1000/daemon']);
    assert.match(output('info'), /^cgroupfs 2 true true true true true /);
    assert.doesNotMatch(output('info'), /WARNING: No /);
  });

  for (const runtime of ['crun', 'runc']) {
    it(`a container of ${runtime} sees its limits in a control group of its own`, () => {
      assert.deepEqual(output(`limits-${runtime}`).split('\n'), [
        `memory.max ${64 * MB}`,
        `memory.swap.max ${32 * MB}`,
        `memory.low ${32 * MB}`,
        'cpu.max 50000 100000',
        'cpu.weight 20',
        'cpuset.cpus 0',
        'pids.max 50',
        `io.max 254:0 rbps=${MB} wbps=max riops=max wiops=max`,
        'io.weight default 4950',
        '1',
      ]);
    });
  }

  it('too much memory ends the container, which inspect and events tell', () => {
    assert.equal(step('oom').code, 137);
    assert.equal(output('oom-state'), 'true 137');
    assert.equal(output('oom-event'), 'oom');
  });

  it('a container that outlives the kill is told of at once', () => {
    assert.equal(output('survivor'), 'true true');
    assert.equal(output('survivor-event'), 'survivor');
  });

  it('too many processes are refused', () => {
    assert.match(step('pids').output, /can't fork/);
  });

  it('a quota holds the container back', () => {
    assert.ok(Number(output('throttled').replace(/\D/g, '')) > 0);
  });

  it('limits change while the container runs, for its sessions too', () => {
    assert.equal(output('update'), 'busy');
    const expected = ['50000 100000', '20', `${96 * MB}`, '0', '1'];
    assert.deepEqual(output('updated').split('\n'), expected);
    assert.deepEqual(output('exec').split('\n'), [`${96 * MB}`, '1', '0::/']);
  });

  it('a change that is refused changes nothing', () => {
    assert.match(step('refused').output, /Requested CPUs are not available - requested 9/);
    assert.equal(output('unchanged'), '1');
  });

  it('stats are those of the group', () => {
    assert.match(output('stats'), /^[\d.]+[KM]iB \/ 96MiB 1$/);
  });

  it('pause freezes the group', () => {
    assert.equal(output('pause') && output('frozen'), 'frozen 1');
    assert.equal(output('unpause') && output('thawed'), 'frozen 0');
  });

  it('a new engine and a new host find the groups again', () => {
    assert.equal(output('adopted') && output('adopted-limit'), '30');
    assert.equal(output('rejoined'), `${80 * MB}`);
  });

  it('nothing is left of a container, and of the daemon at its end', () => {
    output('remove');
    assert.equal(step('removed').output, '');
    assert.equal(output('released'), '');
  });
});
