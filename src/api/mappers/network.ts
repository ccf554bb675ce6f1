/** Networks on the wire. */
import type { NetworkView } from '../backends.ts';

/** `Network` of the reference. The list leaves `Containers` empty, inspect fills it. */
export function toNetwork({ record, members }: NetworkView): object {
  const { subnet, gateway } = record;
  return {
    Name: record.name,
    Id: record.id,
    Created: record.createdAt,
    Scope: 'local',
    Driver: record.driver,
    EnableIPv4: true,
    EnableIPv6: false,
    IPAM: {
      Driver: 'default',
      Options: null,
      Config:
        subnet === undefined
          ? []
          : [{ Subnet: subnet, ...(gateway === undefined ? {} : { Gateway: gateway }) }],
    },
    Internal: false,
    Attachable: false,
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
          IPv6Address: '',
        },
      ]),
    ),
    Options: record.options,
    Labels: {},
  };
}
