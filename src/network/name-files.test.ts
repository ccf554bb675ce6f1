import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kindOf } from '../shared/errors.ts';
import { type NameFileDefaults, type NameFileInput, renderNameFiles } from './name-files.ts';

const defaults: NameFileDefaults = {
  nameservers: ['10.0.2.3'],
  search: ['corp.example'],
  options: [],
  hostGatewayIp: '192.0.2.1',
  hostInternalIp: '192.0.2.1',
  nameserversOfMachine: ['192.0.2.53'],
  hostsOfMachine: '127.0.0.1 localhost\n192.0.2.9 printer',
};

const render = (input: Partial<NameFileInput> = {}, changed: Partial<NameFileDefaults> = {}) =>
  renderNameFiles(
    {
      hostname: 'web',
      domainname: '',
      ipAddresses: ['172.17.0.2'],
      links: [],
      nameService: false,
      hostConfig: {},
      hostNetwork: false,
      ...input,
    },
    { ...defaults, ...changed },
  );

test('the hosts file has the local names, the extra hosts and the container itself, in that order', () => {
  const { hosts } = render({
    hostConfig: { ExtraHosts: ['db:10.1.1.1', 'gw:host-gateway', 'six=[2001:db8::1]', 'v6:::1'] },
  });
  const lines = hosts.split('\n');
  assert.equal(lines[0], '127.0.0.1\tlocalhost');
  assert.deepEqual(lines.slice(6), [
    '10.1.1.1\tdb',
    '192.0.2.1\tgw',
    '2001:db8::1\tsix',
    '::1\tv6',
    '192.0.2.1\thost.docker.internal',
    '172.17.0.2\tweb',
    '',
  ]);
});

test('a domain name comes before the bare name', () => {
  assert.match(
    render({ domainname: 'example.org' }).hosts,
    /\n172\.17\.0\.2\tweb\.example\.org web\n$/,
  );
});

test('a container without a network has the local names only', () => {
  const { hosts } = render({ ipAddresses: [] });
  assert.equal(hosts.split('\n').length, 7);
});

test('the hosts file of the machine is the base on the host network', () => {
  const { hosts } = render({ hostNetwork: true, hostConfig: { ExtraHosts: ['db:10.1.1.1'] } });
  assert.equal(hosts, '127.0.0.1 localhost\n192.0.2.9 printer\n10.1.1.1\tdb\n');
});

test('an extra host without a name or an address is refused', () => {
  for (const text of ['db', 'db:', ':10.1.1.1', 'db:nonsense', 'a b:1.2.3.4', 'db:1.2.3.4\nx']) {
    assert.throws(
      () => render({ hostConfig: { ExtraHosts: [text] } }),
      (error) => kindOf(error) === 'invalid-argument',
      text,
    );
  }
  assert.throws(
    () => render({ hostConfig: { ExtraHosts: ['gw:host-gateway'] } }, { hostGatewayIp: '' }),
    /unable to derive the IP value for host-gateway/,
  );
});

test('name servers, search domains and options come from the request, else from the machine', () => {
  assert.equal(render().resolvConf, 'nameserver 10.0.2.3\nsearch corp.example\n');
  const { resolvConf } = render({
    hostConfig: { Dns: ['9.9.9.9', '1.1.1.1'], DnsSearch: ['a.b', 'c'], DnsOptions: ['ndots:2'] },
  });
  assert.equal(
    resolvConf,
    'nameserver 9.9.9.9\nnameserver 1.1.1.1\nsearch a.b c\noptions ndots:2\n',
  );
});

test('a single dot asks for no search domains', () => {
  assert.equal(render({ hostConfig: { DnsSearch: ['.'] } }).resolvConf, 'nameserver 10.0.2.3\n');
});

test('the hostname file has the name alone', () => {
  assert.equal(render().hostname, 'web\n');
});

test('where the engine answers for names, it is the only server and no search list comes first', () => {
  const hostConfig = { Dns: ['9.9.9.9'] };
  const files = render({ hostConfig, nameService: true });
  assert.match(files.resolvConf, /^nameserver 127\.0\.0\.11\n/);
  assert.doesNotMatch(files.resolvConf, /9\.9\.9\.9/);
  assert.match(files.resolvConf, /^options .*ndots:0$/m);
});

test('the own name stands beside each address', () => {
  const ipAddresses = ['172.18.0.2', '172.19.0.2'];
  const { hosts } = render({ ipAddresses });
  assert.match(hosts, /^172\.18\.0\.2\tweb\n172\.19\.0\.2\tweb$/m);
});
