import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPERATIONS } from './operations.ts';
import { RouteMatcher, routerPattern } from './route-table.ts';
import { containerObservationHandlers } from './routes/container-observation.ts';
import { containerStdioHandlers } from './routes/container-stdio.ts';
import { containerHandlers } from './routes/containers.ts';
import { execHandlers } from './routes/exec.ts';
import { imageHandlers } from './routes/images.ts';
import { networkHandlers } from './routes/networks.ts';
import { systemHandlers } from './routes/system.ts';
import { volumeHandlers } from './routes/volumes.ts';

const key = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

test('all 107 documented operations of API 1.51 are in the table, each once', () => {
  assert.equal(OPERATIONS.filter((route) => route.undocumented !== true).length, 107);
  assert.equal(new Set(OPERATIONS.map(key)).size, OPERATIONS.length);
});

test('every handler belongs to an operation', () => {
  const known = new Set(OPERATIONS.map(key));
  const handled = [
    containerHandlers,
    containerObservationHandlers,
    containerStdioHandlers,
    execHandlers,
    imageHandlers,
    volumeHandlers,
    networkHandlers,
    systemHandlers,
  ].flatMap((handlers) => Object.keys(handlers));
  assert.deepEqual(
    handled.filter((name) => !known.has(name)),
    [],
  );
});

test('a route is found by method and path, with its parameters decoded', () => {
  const matcher = new RouteMatcher(OPERATIONS);
  assert.deepEqual(matcher.find('POST', '/containers/a%2Fb/attach')?.params, { id: 'a/b' });
  assert.deepEqual(matcher.find('GET', '/images/a/b:1/json')?.params, { name: 'a/b:1' });
  assert.equal(matcher.find('POST', '/containers/a/b/attach'), undefined);
  assert.deepEqual(matcher.find('GET', '/containers/100%/json')?.params, { id: '100%' });
  assert.ok(matcher.methodsAt('/containers/x/archive').includes('PUT'));
});

test('names of images and of links may hold slashes in the router, others may not', () => {
  assert.equal(routerPattern('/images/{name}/json'), '/images/:name{.+}/json');
  assert.equal(routerPattern('/containers/{id}/json'), '/containers/:id{.+}/json');
  assert.equal(routerPattern('/containers/{id}/start'), '/containers/:id/start');
});
