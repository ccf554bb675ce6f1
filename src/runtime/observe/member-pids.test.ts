import assert from 'node:assert/strict';
import { test } from 'node:test';
import { membersOf, type ProcessScan } from './member-pids.ts';

/** `[pid, parent, mount namespace, pid namespace]`; they started in the order of their pids. */
type Row = readonly [number, number, string, string];

const scan = (...rows: readonly Row[]): ProcessScan => ({
  processes: rows.map(([pid, parentPid, mount, pids]) => ({
    pid,
    parentPid,
    mount,
    pids,
    startTicks: pid,
  })),
  ownPidNamespace: 'ours',
});

const OUTSIDE: readonly Row[] = [
  [1, 0, 'host', 'ours'],
  [5, 1, 'engine', 'ours'],
  [9, 5, 'engine', 'ours'],
];

test('children, orphans and exec sessions belong to a container, whatever mounts they made', () => {
  const all = scan(
    ...OUTSIDE,
    [10, 9, 'a', 'p'],
    [11, 10, 'a', 'p'],
    [12, 10, 'own', 'p'],
    [13, 12, 'own', 'inner'],
    [20, 5, 'a', 'p'],
    [21, 20, 'a', 'p'],
  );
  assert.deepEqual([...membersOf(all, 10)].sort(), [10, 11, 12, 13, 20, 21]);
});

test('who joins a pid namespace belongs to it no more than it belongs to them', () => {
  const all = scan(
    ...OUTSIDE,
    [10, 9, 'a', 'p'],
    [11, 10, 'a', 'p'],
    [30, 9, 'b', 'p'],
    [31, 30, 'b', 'p'],
    // An orphan of the joiner: the first process of the namespace has inherited it.
    [32, 10, 'b', 'p'],
  );
  assert.deepEqual(membersOf(all, 10), [10, 11]);
  assert.deepEqual([...membersOf(all, 30)].sort(), [30, 31, 32]);
});

test('a container in the pid namespace of the engine has its own processes only', () => {
  const all = scan(...OUTSIDE, [10, 9, 'a', 'ours'], [11, 10, 'a', 'ours'], [12, 1, 'c', 'ours']);
  assert.deepEqual(membersOf(all, 10), [10, 11]);
});
