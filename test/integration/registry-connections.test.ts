/** The ways to a registry: certificates that the user laid down, and proxies. */
import assert from 'node:assert/strict';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { OciRegistryOptions } from '../../src/distribution/registry/oci-registry.ts';
import { readRegistryCertificates } from '../../src/distribution/registry/registry-certificates.ts';
import { messageOf } from '../../src/shared/errors.ts';
import { requires } from '../support/capabilities.ts';
import { type CertificateFiles, TestAuthority } from '../support/certificates.ts';
import { ImageEngine } from '../support/image-engine.ts';
import { bringLoopbackUp } from '../support/loopback.ts';
import { ociImage } from '../support/oci-image.ts';
import { TestRegistry } from '../support/registry.ts';
import { runCommand } from '../support/run-command.ts';
import { StubProxy } from '../support/stub-proxy.ts';
import { StubRegistry } from '../support/stub-registry.ts';
import { makeTestHome } from '../support/test-home.ts';

bringLoopbackUp();

/** Certificates of loopback addresses are never checked, so the registry needs another one. */
const ADDRESS = '192.0.2.1';
const IMAGE = ociImage({ layers: [{ cargo: 'cargo' }] });

/** Why a pull of what nobody has pushed fails. */
async function answerTo(reference: string, registry: Partial<OciRegistryOptions>): Promise<string> {
  await using engine = await ImageEngine.start({ registry });
  return messageOf(await engine.pull(reference).catch((error: unknown) => error));
}

describe('a registry with certificates', requires('docker-registry', 'openssl', 'ip'), () => {
  let authority: TestAuthority;
  let server: CertificateFiles;
  before(async () => {
    const { code } = await runCommand(['ip', 'address', 'add', `${ADDRESS}/32`, 'dev', 'lo']);
    assert.equal(code, 0);
    authority = await TestAuthority.create();
    server = await authority.issue('server', [ADDRESS]);
  });
  after(() => authority[Symbol.asyncDispose]());

  it('is refused while its authority is unknown, and talked to once it lies in certs.d', async () => {
    await using registry = await TestRegistry.start({ address: ADDRESS, certificate: server });
    await using home = await makeTestHome();
    const reference = `${registry.host}/team/app:v1`;
    const certificatesFor = (host: string) => readRegistryCertificates([home.root], host);
    assert.match(await answerTo(reference, { certificatesFor }), /certificate/);
    await mkdir(join(home.root, registry.host));
    await copyFile(authority.certificate, join(home.root, registry.host, 'ca.crt'));
    assert.match(await answerTo(reference, { certificatesFor }), /manifest unknown/);
  });

  it('is talked to when the machine trusts its authority', async () => {
    await using registry = await TestRegistry.start({ address: ADDRESS, certificate: server });
    const systemAuthorities = async () => [await authority.pem()];
    const answer = await answerTo(`${registry.host}/team/app:v1`, { systemAuthorities });
    assert.match(answer, /manifest unknown/);
  });

  it('that wants client certificates gets the one in certs.d, and half a pair is named', async () => {
    await using registry = await TestRegistry.start({
      address: ADDRESS,
      certificate: server,
      clientAuthority: authority.certificate,
    });
    await using home = await makeTestHome();
    const place = join(home.root, registry.host);
    const reference = `${registry.host}/team/app:v1`;
    const certificatesFor = (host: string) => readRegistryCertificates([home.root], host);
    await mkdir(place);
    await copyFile(authority.certificate, join(place, 'ca.crt'));
    assert.doesNotMatch(await answerTo(reference, { certificatesFor }), /manifest unknown/);
    const client = await authority.issue('client');
    await copyFile(client.certificate, join(place, 'client.cert'));
    assert.match(
      await answerTo(reference, { certificatesFor }),
      /missing key client.key for client certificate client.cert/,
    );
    await copyFile(client.key, join(place, 'client.key'));
    assert.match(await answerTo(reference, { certificatesFor }), /manifest unknown/);
    await rm(join(place, 'client.cert'));
    assert.match(
      await answerTo(reference, { certificatesFor }),
      /missing client certificate client.cert for key client.key/,
    );
  });

  it('is reached through the tunnel of a proxy', async () => {
    await using registry = await TestRegistry.start({ address: ADDRESS, certificate: server });
    await using proxy = await StubProxy.start();
    proxy.credentials = 'mate:ballast';
    const proxies = { httpProxy: '', httpsProxy: proxy.url, noProxy: '' };
    const systemAuthorities = async () => [await authority.pem()];
    const reference = `${registry.host}/team/app:v1`;
    assert.match(await answerTo(reference, { systemAuthorities, proxies }), /manifest unknown/);
    assert.deepEqual(proxy.seen, [`CONNECT ${registry.host}`]);
    const unknown = { ...proxies, httpsProxy: proxy.url.replace('mate:ballast@', '') };
    const refused = await answerTo(reference, { systemAuthorities, proxies: unknown });
    assert.match(refused, /proxy .* refused the connection: 407 .*give user name and password/);
    const direct = { ...proxies, noProxy: ADDRESS };
    await answerTo(reference, { systemAuthorities, proxies: direct });
    assert.equal(proxy.seen.length, 2);
  });
});

describe('a registry without encryption', requires('ip'), () => {
  it('is reached through a proxy that forwards requests', async () => {
    await using registry = await StubRegistry.start();
    await using proxy = await StubProxy.start();
    registry.add('team/app', 'v1', IMAGE);
    const other = registry.host.replace('127.0.0.1', 'registry.example');
    // Only the proxy knows where that name leads.
    proxy.rename = (host) => host.replace('registry.example', '127.0.0.1');
    await using engine = await ImageEngine.start({
      registry: {
        insecureRegistries: ['registry.example'],
        proxies: { httpProxy: proxy.url, httpsProxy: '', noProxy: '' },
      },
    });
    assert.equal((await engine.pull(`${other}/team/app:v1`)).error, undefined);
    assert.ok(proxy.seen.includes(`GET http://${other}/v2/team/app/manifests/v1`));
  });
});
