/** `wherry network graph`: which containers are on which networks, from what the API tells everybody. */
import { text } from 'node:stream/consumers';
import * as v from 'valibot';
import { daemonNeeded, unexpectedAnswer } from '../host-errors.ts';
import type { GraphMember, GraphNetwork } from '../machine.ts';
import { askEngine } from './ask-engine.ts';

const networksSchema = v.array(
  v.object({
    Id: v.string(),
    Name: v.string(),
    Driver: v.string(),
    Internal: v.boolean(),
    IPAM: v.object({ Config: v.array(v.object({ Subnet: v.string() })) }),
  }),
);

const endpointSchema = v.object({
  NetworkID: v.string(),
  IPAddress: v.string(),
  GlobalIPv6Address: v.string(),
  DNSNames: v.nullable(v.array(v.string())),
});

const containersSchema = v.array(
  v.object({
    Id: v.string(),
    Names: v.array(v.string()),
    Ports: v.array(
      v.object({
        IP: v.optional(v.string()),
        PrivatePort: v.number(),
        PublicPort: v.optional(v.number()),
        Type: v.string(),
      }),
    ),
    HostConfig: v.object({ NetworkMode: v.string() }),
    NetworkSettings: v.object({ Networks: v.record(v.string(), endpointSchema) }),
  }),
);

type Network = v.InferOutput<typeof networksSchema>[number];
type Container = v.InferOutput<typeof containersSchema>[number];

/** All networks with the running containers on them. `unavailable` when no daemon listens at `apiSocket`. */
export async function networkGraph(apiSocket: string): Promise<readonly GraphNetwork[]> {
  const [networks, containers] = await Promise.all([
    read(apiSocket, '/networks', networksSchema),
    read(apiSocket, '/containers/json', containersSchema),
  ]);
  return graphOf(networks, containers);
}

/** Joins the two lists. Pure. */
export function graphOf(
  networks: readonly Network[],
  containers: readonly Container[],
): readonly GraphNetwork[] {
  return networks.map((network) => ({
    name: network.Name,
    driver: network.Driver,
    internal: network.Internal,
    subnets: network.IPAM.Config.map(({ Subnet }) => Subnet),
    members: containers.flatMap((container) => memberOf(network, container, containers)),
  }));
}

function memberOf(
  network: Network,
  container: Container,
  all: readonly Container[],
): readonly GraphMember[] {
  const joined = container.NetworkSettings.Networks;
  const [name, endpoint] = Object.entries(joined).find(([key]) => key === network.Name) ?? [];
  if (name === undefined || endpoint === undefined) return [];
  const own = nameOf(container);
  const sharing = all.filter(
    (other) => other.HostConfig.NetworkMode === `container:${container.Id}`,
  );
  return [
    {
      container: own,
      addresses: [endpoint.IPAddress, endpoint.GlobalIPv6Address].filter(isGiven),
      names: (endpoint.DNSNames ?? []).filter((one) => one !== own),
      alsoOn: Object.keys(joined).filter((other) => other !== name),
      sharedBy: sharing.map(nameOf),
      published: container.Ports.flatMap(({ IP, PrivatePort, PublicPort, Type }) =>
        PublicPort === undefined ? [] : [`${IP}:${PublicPort} to ${PrivatePort}/${Type}`],
      ),
    },
  ];
}

const isGiven = (part: string) => part !== '';
const nameOf = ({ Names, Id }: Container) => Names[0]?.slice(1) ?? Id.slice(0, 12);

async function read<Schema extends v.GenericSchema>(
  socketPath: string,
  path: string,
  schema: Schema,
): Promise<v.InferOutput<Schema>> {
  const answer = await askEngine(socketPath, 'GET', path);
  if (answer === undefined) throw daemonNeeded();
  const parsed = v.safeParse(schema, JSON.parse(await text(answer)));
  if (!parsed.success) throw unexpectedAnswer(path, parsed.issues[0].message);
  return parsed.output;
}
