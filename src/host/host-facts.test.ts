import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveRoots } from './default-roots.ts';
import { parseResolvConf, parseRouteTable } from './read-host-facts.ts';

test('resolv.conf is read with comments, several servers and the last search list', () => {
  assert.deepEqual(
    parseResolvConf(
      '# x\nnameserver 1.1.1.1\nnameserver ::1 ; y\nsearch a b\ndomain c\noptions ndots:2 edns0\n',
    ),
    { nameservers: ['1.1.1.1', '::1'], search: ['c'], options: ['ndots:2', 'edns0'] },
  );
});

test('routes of the host are read without the default one', () => {
  const table = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0',
    'eth0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
  ].join('\n');
  assert.deepEqual(parseRouteTable(table), ['172.17.0.0/16']);
});

const question = { environment: {}, home: '/home/u', uid: 4_000_000, bootId: '0123456789abcdef' };

test('directories follow the XDG variables', () => {
  const environment = { XDG_DATA_HOME: '/d', XDG_RUNTIME_DIR: '/r' };
  assert.deepEqual(resolveRoots({}, { ...question, environment }), {
    dataRoot: '/d/wherry',
    execRoot: '/r/wherry',
    isDefaultExecRoot: true,
  });
});

test('without a runtime directory a place named by boot lies below the data', () => {
  const roots = resolveRoots({}, question);
  assert.equal(roots.execRoot, '/home/u/.local/share/wherry/run-01234567');
});

test('relative XDG variables are ignored', () => {
  const environment = { XDG_DATA_HOME: 'd' };
  assert.equal(
    resolveRoots({}, { ...question, environment }).dataRoot,
    '/home/u/.local/share/wherry',
  );
});

test('settings win over every default', () => {
  const roots = resolveRoots({ dataRoot: '/a', execRoot: '/b' }, question);
  assert.deepEqual(roots, { dataRoot: '/a', execRoot: '/b', isDefaultExecRoot: false });
});
