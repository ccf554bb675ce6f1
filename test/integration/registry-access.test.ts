/** Whose credentials are shown to a registry, for how long they count, and what it says of its limits. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OciRegistryOptions } from '../../src/distribution/registry/oci-registry.ts';
import type { StorageLine } from '../../src/handshake/storage-report.ts';
import type { Descriptor } from '../../src/oci/image-spec.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { EngineError } from '../../src/shared/errors.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { ociImage } from '../support/oci-image.ts';
import { outcomeOf } from '../support/outcome-of.ts';
import { STUB_CREDENTIALS, STUB_IDENTITY_TOKEN } from '../support/stub-access.ts';
import { StubRegistry } from '../support/stub-registry.ts';

bringLoopbackUp();

const IMAGE = ociImage({ layers: [{ one: 'one' }, { two: 'x'.repeat(300_000) }] });

async function makeWorld(settings: Partial<OciRegistryOptions> = {}) {
  const registry = await StubRegistry.start();
  registry.add('team/app', 'v1', IMAGE);
  const engine = await ImageEngine.start({ registry: settings });
  const name = `${registry.host}/team/app:v1`;
  return {
    ...{ registry, engine, name },
    async [Symbol.asyncDispose]() {
      await engine[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

describe('the credentials that the user has laid down', () => {
  it('are looked up for the registry that asks, when the client sent none', async () => {
    const asked: string[] = [];
    const findCredentials = async (domain: string) => {
      asked.push(domain);
      return STUB_CREDENTIALS;
    };
    await using world = await makeWorld({ findCredentials });
    assert.equal((await world.engine.pull(world.name)).error, undefined);
    assert.deepEqual(asked, [], 'an open registry needs to know nobody');
    world.registry.access.auth = 'basic';
    assert.equal((await world.engine.push(world.name)).error, undefined);
    assert.deepEqual(asked, [world.registry.host]);
  });

  it('bring a damaged layer of a private image back', async () => {
    await using world = await makeWorld({ findCredentials: async () => STUB_CREDENTIALS });
    const { engine, registry } = world;
    assert.equal((await engine.pull(world.name)).error, undefined);
    const [{ digest }] = IMAGE.manifest.layers as [Descriptor];
    await engine.content.remove(digest);
    registry.access.auth = 'basic';
    const found: StorageLine[] = [];
    const { signal } = new AbortController();
    for await (const line of engine.images.check({ repairs: true, deep: false }, signal)) {
      found.push(line);
    }
    assert.deepEqual(
      found.map((line) => 'finding' in line && [line.finding.subject, line.finding.outcome]),
      [[digest, 'repaired'], false],
    );
    assert.ok(registry.blobAuthorizations.some((header) => header?.startsWith('Basic ') === true));
  });

  it('do not stand in for those of the client that are wrong', async () => {
    await using world = await makeWorld({ findCredentials: async () => STUB_CREDENTIALS });
    world.registry.access.auth = 'basic';
    const credentials = { ...STUB_CREDENTIALS, password: 'wrong' };
    const refused = await outcomeOf(world.engine.pull(world.name, { credentials }));
    assert.match(refused.text, /unauthorized: authentication required/);
  });

  it('that cannot be had are no reason to fail where nobody asks for them, and named where somebody does', async () => {
    const findCredentials = () =>
      Promise.reject(new EngineError('unavailable', 'docker-credential-x gives no credentials'));
    await using world = await makeWorld({ findCredentials });
    world.registry.access.auth = 'bearer';
    assert.equal((await world.engine.pull(world.name)).error, undefined);
    world.registry.access.auth = 'basic';
    const refused = await outcomeOf(world.engine.pull(world.name));
    assert.match(refused.text, /no basic auth credentials \(docker-credential-x gives no cred/);
  });
});

describe('a token', () => {
  it('that ends in the middle of a pull or push is renewed, and the download goes on', async () => {
    await using world = await makeWorld();
    world.registry.access.auth = 'bearer';
    world.registry.access.tokenUses = 1;
    const layer = new RegExp(`blobs/${IMAGE.manifest.layers[1]?.digest}`);
    world.registry.misbehave(layer, { kind: 'reset' });
    const credentials = STUB_CREDENTIALS;
    assert.equal((await world.engine.pull(world.name, { credentials })).error, undefined);
    assert.ok(world.registry.requests.some((request) => /bytes=\d+-/.test(request)));
    const copy = { repository: `${world.registry.host}/team/copy`, tag: 'v1' };
    await world.engine.images.tag(world.name, copy);
    const pushed = await world.engine.push(`${copy.repository}:v1`, { credentials });
    assert.equal(pushed.error, undefined);
  });

  it('that is known to have ended is renewed before the request, not after a refusal', async () => {
    let now = systemClock.now();
    await using world = await makeWorld({ clock: { ...systemClock, now: () => now } });
    const { access } = world.registry;
    access.auth = 'bearer';
    const credentials = STUB_CREDENTIALS;
    await world.engine.pull(world.name, { credentials });
    const refusals = access.refusals;
    assert.ok(refusals > 0);
    access.forgetTokens();
    now += 600_000;
    await world.engine.pull(world.name, { credentials });
    assert.equal(access.refusals, refusals);
  });

  it('for later comes with a login, stands in for the password, and is not told to others', async () => {
    await using world = await makeWorld();
    const { access, host } = world.registry;
    access.auth = 'bearer';
    const login = { ...STUB_CREDENTIALS, serverAddress: host };
    const { identityToken } = await world.engine.images.login(login);
    assert.equal(identityToken, STUB_IDENTITY_TOKEN);
    const credentials = { ...STUB_CREDENTIALS, username: '', password: '', identityToken };
    assert.equal((await world.engine.pull(world.name, { credentials })).error, undefined);
    await using other = await StubRegistry.start();
    access.forgetTokens();
    access.tokenRedirect = `http://${other.host}/token`;
    const refused = await outcomeOf(world.engine.pull(world.name, { credentials }));
    assert.match(refused.text, /a token must not go on to 127\.0\.0\.1/);
    assert.deepEqual(other.requests, []);
  });
});

describe('the limits of a registry', () => {
  const headers = { 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '0;w=21600' };

  it('are shown by a pull, and known afterwards', async () => {
    await using world = await makeWorld({ clock: { ...systemClock, now: () => 7 } });
    assert.deepEqual(world.engine.images.registryLimits(), []);
    world.registry.manifestHeaders = headers;
    const { lines } = await world.engine.pull(world.name);
    const shown = lines.map(({ status }) => status);
    const left = '0 of 100 pulls left in 6 hours';
    assert.ok(shown.includes(`Registry limit: ${left}`));
    const domain = world.registry.host;
    assert.deepEqual(world.engine.images.registryLimits(), [{ domain, left, saidAtMs: 7 }]);
  });

  it('are told with the refusal, and a pause that is too long is not waited for', async () => {
    await using world = await makeWorld();
    const told = { ...headers, 'retry-after': '600' };
    world.registry.misbehave(/manifests/, { kind: 'status', status: 429, headers: told });
    const refused = await outcomeOf(world.engine.pull(world.name));
    assert.match(
      refused.text,
      /toomanyrequests: .* \(0 of 100 pulls left in 6 hours; try again in 10 minutes\)/,
    );
    assert.equal(world.registry.count(/manifests/), 1);
  });
});
