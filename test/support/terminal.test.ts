import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requires } from './capabilities.ts';
import { Terminal } from './terminal.ts';

const ENV = { PATH: process.env['PATH'] ?? '', TERM: 'xterm' };

test(
  'a program in a terminal is typed to, resized, and its exit code read',
  requires('tmux'),
  async () => {
    await using terminal = await Terminal.open(['sh'], ENV, { columns: 70, rows: 20 });
    await terminal.type('stty size');
    await terminal.press('Enter');
    await terminal.shows(/20 70$/m);
    await terminal.resize({ columns: 60, rows: 15 });
    await terminal.type('stty size; exit 3');
    await terminal.press('Enter');
    await terminal.shows(/15 60$/m);
    assert.equal(await terminal.exitCode(), 3);
  },
);
