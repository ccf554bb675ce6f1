/** What every `SandboxService` does. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type {
  PublishRequest,
  SandboxRequest,
  SandboxService,
} from '../../src/network/sandbox-service.ts';
import { kindOf } from '../../src/shared/errors.ts';
import { type NetworkId, newContainerId } from '../../src/shared/ids.ts';

/** A fresh service and how to take it down. */
export interface SandboxFixture extends AsyncDisposable {
  readonly service: SandboxService;
  /** Makes a network and returns its id. */
  addNetwork(name: string): Promise<NetworkId>;
}

const requestFor = (changes: Partial<SandboxRequest> = {}): SandboxRequest => ({
  containerId: newContainerId(),
  mode: 'bridge',
  hostname: 'web',
  publish: [],
  ...changes,
});

const tcp = (hostPort: number, hostIp = '127.0.0.1'): PublishRequest => ({
  protocol: 'tcp',
  containerPort: 80,
  hostIp,
  hostPort,
});

/** Runs the suite; `make` is called once for each test. */
export function testSandboxServiceContract(
  name: string,
  make: () => Promise<SandboxFixture>,
): void {
  describe(`sandbox service: ${name}`, () => {
    testEndpoints(make);
    testLifetime(make);
    testPublishing(make);
    testSeveralNetworks(make);
  });
}

function testEndpoints(make: () => Promise<SandboxFixture>): void {
  test('a bridge sandbox has one endpoint with an address, a gateway and the derived MAC', async () => {
    await using fixture = await make();
    const { endpoints, published } = await fixture.service.create(requestFor());
    const [endpoint] = endpoints;
    assert.equal(endpoints.length, 1);
    assert.equal(endpoint?.networkName, 'bridge');
    assert.match(endpoint.ipAddress, /\.0\.2$/);
    assert.match(endpoint.gateway, /\.0\.1$/);
    const pairs = endpoint.ipAddress.split('.').map((part) => Number(part).toString(16));
    const expected = ['02', '42', ...pairs.map((pair) => pair.padStart(2, '0'))].join(':');
    assert.equal(endpoint.macAddress, expected);
    assert.deepEqual(published, []);
  });

  test('a sandbox of mode none has no endpoint and publishes nothing', async () => {
    await using fixture = await make();
    const sandbox = await fixture.service.create(requestFor({ mode: 'none', publish: [tcp(0)] }));
    assert.deepEqual(sandbox.endpoints, []);
    assert.deepEqual(sandbox.published, []);
  });

  test('two sandboxes never share an address, and a freed one is used again', async () => {
    await using fixture = await make();
    const [first, second] = [requestFor(), requestFor()];
    const addressOf = async (request: SandboxRequest) =>
      (await fixture.service.create(request)).endpoints[0]?.ipAddress;
    const given = [await addressOf(first), await addressOf(second)];
    assert.notEqual(given[0], given[1]);
    await fixture.service.remove(first.containerId);
    assert.equal(await addressOf(requestFor()), given[0]);
  });

  test('a MAC address of the user is kept, and one that is none is refused', async () => {
    await using fixture = await make();
    const wanted = requestFor({ macAddress: '92:D0:C6:0A:29:33' });
    const sandbox = await fixture.service.create(wanted);
    assert.equal(sandbox.endpoints[0]?.macAddress, '92:d0:c6:0a:29:33');
    const bad = requestFor({ macAddress: '01:00:5e:00:00:01' });
    await assert.rejects(
      fixture.service.create(bad),
      (error) => kindOf(error) === 'invalid-argument',
    );
    assert.equal(fixture.service.get(bad.containerId), undefined);
  });
}

function testLifetime(make: () => Promise<SandboxFixture>): void {
  test('creating a sandbox twice gives the same one', async () => {
    await using fixture = await make();
    const request = requestFor();
    const first = await fixture.service.create(request);
    assert.deepEqual(await fixture.service.create(request), first);
    assert.deepEqual(fixture.service.get(request.containerId), first);
    assert.deepEqual(await fixture.service.list(), [request.containerId]);
  });

  test('removing a sandbox twice, or one that never was, succeeds', async () => {
    await using fixture = await make();
    const request = requestFor();
    await fixture.service.create(request);
    await fixture.service.remove(request.containerId);
    await fixture.service.remove(request.containerId);
    await fixture.service.remove(newContainerId());
    assert.equal(fixture.service.get(request.containerId), undefined);
    assert.deepEqual(await fixture.service.list(), []);
  });

  test('restoring a sandbox that never was gives nothing', async () => {
    await using fixture = await make();
    assert.equal(await fixture.service.restore(newContainerId()), undefined);
  });

  test('the three predefined networks are listed', async () => {
    await using fixture = await make();
    const networks = fixture.service.networks();
    assert.deepEqual(
      networks.map(({ name, driver }) => [name, driver]),
      [
        ['bridge', 'bridge'],
        ['host', 'host'],
        ['none', 'null'],
      ],
    );
    assert.match(networks[0]?.subnet ?? '', /\.0\.0\/\d+$/);
    assert.ok(fixture.service.nameservers().length > 0);
  });
}

function testPublishing(make: () => Promise<SandboxFixture>): void {
  test('an empty host address publishes both families on one random port', async () => {
    await using fixture = await make();
    const { published } = await fixture.service.create(requestFor({ publish: [tcp(0, '')] }));
    assert.deepEqual(
      published.map(({ hostIp }) => hostIp),
      ['0.0.0.0', '::'],
    );
    assert.ok((published[0]?.hostPort ?? 0) > 0);
    assert.equal(published[0]?.hostPort, published[1]?.hostPort);
  });

  test("a port of another container is refused with Docker's text and leaves nothing", async () => {
    await using fixture = await make();
    const holder = await fixture.service.create(requestFor({ publish: [tcp(0)] }));
    const port = holder.published[0]?.hostPort ?? 0;
    const late = requestFor({ containerName: 'late', publish: [tcp(0), tcp(port)] });
    await assert.rejects(fixture.service.create(late), (error: Error) => {
      assert.equal(kindOf(error), 'internal');
      assert.match(
        error.message,
        new RegExp(
          '^failed to set up container networking: driver failed programming external connectivity ' +
            `on endpoint late \\([0-9a-f]{64}\\): Bind for 127\\.0\\.0\\.1:${port} failed: ` +
            'port is already allocated$',
        ),
      );
      return true;
    });
    assert.deepEqual(await fixture.service.list(), [holder.containerId]);
    await fixture.service.remove(holder.containerId);
    const { published } = await fixture.service.create(late);
    assert.equal(published.length, 2);
  });

  test('of a range of ports the first that is free is taken', async () => {
    await using fixture = await make();
    const holder = await fixture.service.create(requestFor({ publish: [tcp(0)] }));
    const taken = holder.published[0]?.hostPort ?? 0;
    const range = { ...tcp(taken), lastHostPort: taken + 20 };
    const { published } = await fixture.service.create(requestFor({ publish: [range] }));
    const port = published[0]?.hostPort ?? 0;
    assert.ok(port > taken && port <= taken + 20, String(port));
    const full = { ...tcp(taken), lastHostPort: taken };
    await assert.rejects(
      fixture.service.create(requestFor({ publish: [full] })),
      /port is already allocated/,
    );
  });
}

function testSeveralNetworks(make: () => Promise<SandboxFixture>): void {
  test('a sandbox joins several networks, the first as eth0', async () => {
    await using fixture = await make();
    const [first, second] = [await fixture.addNetwork('one'), await fixture.addNetwork('two')];
    const networks = [first, second].map((networkId) => ({ networkId, names: ['web'] }));
    const { endpoints } = await fixture.service.create(requestFor({ networks }));
    assert.deepEqual(
      endpoints.map(({ networkName, interfaceName, names }) => [networkName, interfaceName, names]),
      [
        ['one', 'eth0', ['web']],
        ['two', 'eth1', ['web']],
      ],
    );
  });

  test('a fixed address is kept, and refused while another sandbox has it', async () => {
    await using fixture = await make();
    const networkId = await fixture.addNetwork('one');
    const probe = requestFor({ networks: [{ networkId, names: [] }] });
    const { endpoints } = await fixture.service.create(probe);
    const ipAddress = endpoints[0]?.ipAddress.replace(/\d+$/, '77') ?? '';
    const request = () => requestFor({ networks: [{ networkId, names: [], ipAddress }] });
    const holder = await fixture.service.create(request());
    assert.equal(holder.endpoints[0]?.ipAddress, ipAddress);
    await assert.rejects(
      fixture.service.create(request()),
      /^EngineError: Address already in use$/,
    );
    await fixture.service.remove(holder.containerId);
    assert.equal((await fixture.service.create(request())).endpoints[0]?.ipAddress, ipAddress);
  });

  test('a live sandbox is connected once, disconnected once, and can be connected again', async () => {
    await using fixture = await make();
    const networkId = await fixture.addNetwork('one');
    const { containerId } = await fixture.service.create(requestFor());
    const join = () => fixture.service.connect(containerId, { networkId, names: ['web'] });
    assert.equal((await join()).endpoints.length, 2);
    await assert.rejects(join(), (error) => kindOf(error) === 'forbidden');
    const left = await fixture.service.disconnect(containerId, networkId);
    assert.deepEqual(
      left.endpoints.map(({ networkName }) => networkName),
      ['bridge'],
    );
    await assert.rejects(fixture.service.disconnect(containerId, networkId), /is not connected to/);
    assert.equal((await join()).endpoints.length, 2);
    assert.deepEqual(fixture.service.get(containerId)?.endpoints.length, 2);
  });

  test('a sandbox of mode none can be connected', async () => {
    await using fixture = await make();
    const networkId = await fixture.addNetwork('one');
    const { containerId } = await fixture.service.create(requestFor({ mode: 'none' }));
    const { endpoints } = await fixture.service.connect(containerId, { networkId, names: [] });
    assert.equal(endpoints[0]?.interfaceName, 'eth0');
  });

  test('a renamed sandbox has its new name on every endpoint', async () => {
    await using fixture = await make();
    const networkId = await fixture.addNetwork('one');
    const networks = [{ networkId, names: ['old', 'alias'] }];
    const { containerId } = await fixture.service.create(requestFor({ networks }));
    await fixture.service.rename(containerId, { before: 'old', after: 'new' });
    assert.deepEqual(fixture.service.get(containerId)?.endpoints[0]?.names, ['new', 'alias']);
    await fixture.service.rename(newContainerId(), { before: 'a', after: 'b' });
  });
}
