/** The commands on volumes that the reference of the command line lists, with their flags. */
import { type Case, type Surroundings, step } from './step.ts';

/** Rows for every command. */
export function volumeCases({ image }: Surroundings): readonly Case[] {
  return [
    {
      title: 'volume create, ls, inspect, rm',
      steps: [
        step('volume create one', { prints: /^one$/ }),
        step('volume create --name two -d local --label kind=row', { prints: /^two$/ }),
        step('volume create', { prints: /^[0-9a-f]{64}$/ }),
        step('volume ls -f name=one', { prints: /^DRIVER +VOLUME NAME\nlocal +one$/ }),
        step('volume ls -q -f label=kind=row', { prints: /^two$/ }),
        step('volume ls -f driver=none', { prints: /^DRIVER +VOLUME NAME$/ }),
        step(
          'volume ls --format',
          { prints: /^local two kind=row$/m },
          '{{.Driver}} {{.Name}} {{.Labels}}',
        ),
        step('volume inspect two', {
          prints:
            /^\[\n {4}\{\n {8}"CreatedAt": "20[\s\S]*"Driver": "local",[\s\S]*"Mountpoint": "\/[\s\S]*"Name": "two",\n {8}"Options": (null|\{\}),\n {8}"Scope": "local"\n/,
        }),
        step('volume inspect -f', { prints: /^two row$/ }, '{{.Name}} {{.Labels.kind}}', 'two'),
        step('volume rm one two', { prints: /^one\ntwo$/ }),
        step('volume rm one', {
          exits: 1,
          complains: /get one: no such volume|No such volume: one/,
        }),
        step('volume rm -f one', { prints: /^one$/ }),
        step('volume inspect one', { exits: 1, prints: /^\[\]$/, complains: /[Nn]o such volume/ }),
        step('volume create -d none one', {
          exits: 1,
          complains: /plugin "none" not found|error looking up volume plugin none/,
        }),
        step('volume create /', {
          exits: 1,
          complains: /includes invalid characters for a local volume name/,
        }),
      ],
    },
    {
      title: 'volume create -o',
      steps: [
        step('volume create -o type=tmpfs -o device=tmpfs -o o=size=1m one'),
        step(`run --rm -v one:/m ${image} df -k /m`, { prints: / 1024 / }),
        step('volume rm one'),
      ],
    },
    {
      title: 'a volume in use, and prune',
      steps: [
        step('volume create named'),
        step(`create --name row -v used:/m -v /anonymous ${image}`),
        step('volume rm used', { exits: 1, complains: /volume is in use - \[[0-9a-f]{64}\]/ }),
        step('volume ls -q -f dangling=true', { prints: /named/ }),
        step('rm row'),
        step('volume prune -f', {
          prints: /^Deleted Volumes:\n(.+\n)+\nTotal reclaimed space: \S+B$/,
        }),
        step('volume rm -f named used rows'),
      ],
    },
  ];
}
