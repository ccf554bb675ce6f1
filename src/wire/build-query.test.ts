import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../shared/errors.ts';
import { decodeBuildQuery } from './build-query.ts';

const decoded = (text: string) => decodeBuildQuery(new URLSearchParams(text));

test('a build without a query has the defaults of Docker', () => {
  const query = decoded('');
  assert.equal(query.dockerfile, 'Dockerfile');
  assert.equal(query.removeContainers, true);
  assert.deepEqual([query.quiet, query.noCache, query.pull], [false, false, false]);
  assert.deepEqual([query.tags, query.extraHosts, query.resources], [[], [], {}]);
  assert.equal(query.networkMode, 'default');
  assert.equal(query.hasOutputs, false);
  assert.equal(decoded('isolation=default&outputs=[{"Type":"tar"}]').hasOutputs, true);
});

test('names, arguments, labels and limits are taken from their parameters', () => {
  const json = (value: unknown) => encodeURIComponent(JSON.stringify(value));
  const query = decoded(
    `t=a&t=b&rm=0&q=1&buildargs=${json({ A: '1', B: null })}&labels=${json({ l: 'x' })}` +
      `&extrahosts=a:1.2.3.4&extrahosts=b:1.2.3.5&memory=1000&cgroupparent=/x&shmsize=5` +
      `&ulimits=${json([{ Name: 'nofile', Soft: 1, Hard: 2 }])}&cachefrom=${json(['img'])}`,
  );
  assert.deepEqual(query.tags, ['a', 'b']);
  assert.deepEqual([...query.buildArgs], [['A', '1']]);
  assert.deepEqual([...query.labels], [['l', 'x']]);
  assert.deepEqual(query.extraHosts, ['a:1.2.3.4', 'b:1.2.3.5']);
  assert.deepEqual(query.resources, {
    Memory: 1000,
    CgroupParent: '/x',
    Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
  });
  assert.equal(query.shmSizeBytes, 5);
  assert.deepEqual(query.cacheFrom, ['img']);
  assert.deepEqual([query.removeContainers, query.quiet], [false, true]);
});

test('what is null was not set', () => {
  const query = decoded('ulimits=null&buildargs=null&labels=null&cachefrom=null');
  assert.deepEqual(query, decoded(''));
});

test('values of the wrong form are refused', () => {
  for (const text of [
    'buildargs=[',
    'labels={"a":1}',
    'memory=much',
    'ulimits={}',
    'isolation=hyperv',
    'outputs=x',
  ]) {
    assert.throws(
      () => decoded(text),
      (error) => kindOf(error) === 'invalid-argument',
      text,
    );
  }
});
