import assert from 'node:assert/strict';
import { test } from 'node:test';
import { graphOf } from '../../host/control/network-graph.ts';
import { describeGraph } from './network.ts';

const endpoint = (id: string, address: string, names: string[] | null) => ({
  NetworkID: id,
  IPAddress: address,
  GlobalIPv6Address: '',
  DNSNames: names,
});

const network = (name: string, internal: boolean, subnet: string) => ({
  Id: name,
  Name: name,
  Driver: 'bridge',
  Internal: internal,
  IPAM: { Config: [{ Subnet: subnet }] },
});

const graph = graphOf(
  [network('front', false, '172.18.0.0/16'), network('back', true, '172.19.0.0/16')],
  [
    {
      Id: '1'.repeat(64),
      Names: ['/web'],
      Ports: [{ IP: '127.0.0.1', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' }],
      HostConfig: { NetworkMode: 'front' },
      NetworkSettings: { Networks: { front: endpoint('front', '172.18.0.2', ['web', 'www']) } },
    },
    {
      Id: '2'.repeat(64),
      Names: ['/sidecar'],
      Ports: [],
      HostConfig: { NetworkMode: `container:${'1'.repeat(64)}` },
      NetworkSettings: { Networks: {} },
    },
  ],
);

test('the graph tells of every network who is on it, under which names and ports', () => {
  assert.equal(
    describeGraph(graph),
    [
      'front (bridge, 172.18.0.0/16)',
      '  web  172.18.0.2;  also called www;  shared by sidecar;  published as 127.0.0.1:8080 to 80/tcp',
      '',
      'back (bridge, internal, 172.19.0.0/16)',
      '  nobody',
    ].join('\n'),
  );
});
