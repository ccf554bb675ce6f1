import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { endpointsOf, isInsecure } from './endpoints.ts';

const settings = {
  mirrors: ['https://mirror.example/docker'],
  insecureRegistries: ['plain.example', 'other.example:5000', '10.1.0.0/16'],
};
const bases = (domain: string) =>
  endpointsOf(domain, settings).map((endpoint) => endpoint.bases.map((base) => base.href));

describe('the servers of a registry', () => {
  it('are the mirrors and then the hub for docker.io', () => {
    assert.deepEqual(bases('docker.io'), [
      ['https://mirror.example/docker/'],
      ['https://registry-1.docker.io/'],
    ]);
  });

  it('speak plain HTTP only on loopback or when declared insecure', () => {
    assert.deepEqual(bases('ghcr.io'), [['https://ghcr.io/']]);
    for (const domain of ['localhost:5000', '127.1.2.3:80', '[::1]:5000', 'plain.example']) {
      assert.equal(bases(domain)[0]?.length, 2, domain);
    }
  });

  it('are insecure by name, by port and by network', () => {
    const yes = ['plain.example', 'plain.example:9', 'other.example:5000', '10.1.200.3:5000'];
    const no = ['other.example', 'example', '10.2.0.1', 'localhost.example'];
    for (const host of yes) assert.ok(isInsecure(new URL(`https://${host}/`), settings), host);
    for (const host of no) assert.ok(!isInsecure(new URL(`https://${host}/`), settings), host);
  });
});
