/** Networks on the wire. */
import type { AddressPlan } from '../../network/network-record.ts';
import type { NetworkView } from '../network-backend.ts';

/** `Network` of the reference. The list leaves `Containers` empty, inspect fills it. */
export function toNetwork({ record, members }: NetworkView): object {
  return {
    Name: record.name,
    Id: record.id,
    Created: record.createdAt,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: record.ipv6 !== undefined,
    IPAM: {
      Driver: 'default',
      Options: record.ipamOptions ?? null,
      Config: toPools(record),
    },
    Internal: record.internal ?? false,
    Attachable: record.attachable ?? false,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      members.map((member) => [
        member.containerId,
        {
          Name: member.containerName,
          EndpointID: member.endpointId,
          MacAddress: member.macAddress,
          IPv4Address: member.ipv4,
          IPv6Address: member.ipv6,
        },
      ]),
    ),
    Options: record.options,
    Labels: record.labels ?? {},
  };
}

function toPools(record: NetworkView['record']): object[] {
  return [toPool(record), toPool(record.ipv6 ?? {})].flat();
}

function toPool(plan: Partial<AddressPlan>): object[] {
  const { subnet, gateway, ipRange, auxAddresses = {} } = plan;
  if (subnet === undefined) return [];
  return [
    {
      Subnet: subnet,
      ...(ipRange === undefined ? {} : { IPRange: ipRange }),
      ...(gateway === undefined ? {} : { Gateway: gateway }),
      ...(Object.keys(auxAddresses).length === 0 ? {} : { AuxiliaryAddresses: auxAddresses }),
    },
  ];
}
