import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from './decode.ts';
import {
  decodeConsoleSize,
  decodeCreateContainer,
  decodeExecCreate,
  decodeExecStart,
} from './request-bodies.ts';

test('a create body is taken apart, commands become lists, unknown fields go', () => {
  const body = decodeCreateContainer({
    Image: 'busybox',
    Cmd: 'true',
    Entrypoint: ['sh', '-c'],
    ExposedPorts: { '80/tcp': null },
    Nonsense: 1,
    HostConfig: { Memory: 5, PortBindings: { '80/tcp': [{ HostPort: '8080' }], '81/tcp': null } },
    NetworkingConfig: { EndpointsConfig: { mine: { Aliases: ['a'] }, other: null } },
  });
  assert.deepEqual(body, {
    config: {
      Image: 'busybox',
      Cmd: ['true'],
      Entrypoint: ['sh', '-c'],
      ExposedPorts: { '80/tcp': {} },
    },
    hostConfig: {
      Memory: 5,
      PortBindings: { '80/tcp': [{ HostPort: '8080' }], '81/tcp': null },
    },
    networkingConfig: { EndpointsConfig: { mine: { Aliases: ['a'] }, other: null } },
  });
});

test('null means unset, and names match in any case, as in Go', () => {
  const { config, hostConfig } = decodeCreateContainer({
    image: 'busybox',
    Cmd: null,
    Tty: null,
    hostconfig: { memory: null, AUTOREMOVE: true },
  });
  assert.deepEqual(config, { Image: 'busybox' });
  assert.deepEqual(hostConfig, { AutoRemove: true });
});

test('an empty config is refused', () => {
  for (const raw of [null, {}, { HostConfig: { Memory: 1 } }]) {
    assert.throws(() => decodeCreateContainer(raw), /^EngineError: config cannot be empty/);
  }
});

test('a field of the wrong type is named', () => {
  const cases: [unknown, RegExp][] = [
    [{ Image: 7 }, /invalid JSON: Image: /],
    [{ Image: 'x', HostConfig: { Memory: '5m' } }, /invalid JSON: HostConfig\.Memory: /],
    [{ Image: 'x', HostConfig: { Binds: [1] } }, /invalid JSON: HostConfig\.Binds\.0: /],
    [{ Image: 'x', HostConfig: { Memory: 1e300 } }, /HostConfig\.Memory/],
    [[], /invalid JSON: expected an object/],
  ];
  for (const [raw, message] of cases) {
    assert.throws(() => decodeCreateContainer(raw), { kind: 'invalid-argument', message });
  }
});

test('a name from Object’s prototype does no harm', () => {
  const raw = parseJson(
    '{"Image":"x","__proto__":{"Tty":true},"Labels":{"__proto__":"a","b":"c"}}',
  );
  const { config } = decodeCreateContainer(raw);
  assert.deepEqual(config, { Image: 'x', Labels: { b: 'c' } });
  assert.equal(Object.getPrototypeOf(config), Object.prototype);
});

test('a text is one JSON value', () => {
  assert.deepEqual(parseJson('{"a":1}\n'), { a: 1 });
  assert.throws(() => parseJson(' '), /got EOF while reading request body/);
  assert.throws(() => parseJson('{"a":1} {}'), /unexpected content after JSON/);
  assert.throws(() => parseJson('{"a":'), /^EngineError: invalid JSON: /);
});

test('exec bodies have their defaults', () => {
  assert.deepEqual(decodeExecCreate({ Cmd: ['sh'], AttachStdout: true }), {
    AttachStderr: false,
    AttachStdin: false,
    AttachStdout: true,
    Cmd: ['sh'],
    DetachKeys: '',
    Env: [],
    Privileged: false,
    Tty: false,
    User: '',
    WorkingDir: '',
  });
  assert.deepEqual(decodeExecStart(undefined), { Detach: false, Tty: false });
});

test('a console size is height and width, and zero is unknown', () => {
  assert.deepEqual(decodeConsoleSize([24, 80]), { rows: 24, columns: 80 });
  for (const size of [undefined, null, [0, 0], []])
    assert.equal(decodeConsoleSize(size), undefined);
  assert.throws(() => decodeConsoleSize([1, 2, 3]), { kind: 'invalid-argument' });
});
