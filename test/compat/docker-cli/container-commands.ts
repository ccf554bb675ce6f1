/** The commands on containers that the reference of the command line lists, with their flags. */
import { type Case, type Surroundings, step } from './step.ts';

const ID = /^[0-9a-f]{64}$/;

/** Rows for every command but `run`, `create`, and those on files. */
export function containerCases(where: Surroundings): readonly Case[] {
  return [...lifeCases(where), ...lookCases(where)];
}

function lifeCases({ image }: Surroundings): readonly Case[] {
  const trap =
    'trap "exit 7" TERM; trap "exit 8" USR1; trap "exit 9" INT; while :; do sleep 0.05; done';
  return [
    {
      title: 'create, start, start -a, start -i',
      steps: [
        step(`create --name row -i ${image} sh -c`, { prints: ID }, 'cat; exit 3'),
        step('start -a -i row', { stdin: 'typed', prints: /^typed$/, exits: 3 }),
        step('start row', { prints: /^row$/ }),
        step('stop -t 0 row', { prints: /^row$/ }),
        step('rm row', { prints: /^row$/ }),
        step('start row', { exits: 1, complains: /No such container: row/ }),
      ],
    },
    {
      title: 'stop -t, kill -s, wait, restart -t',
      steps: [
        step(`run -d --name row ${image} sh -c`, { prints: ID }, trap),
        step('exec row true'),
        step('stop -t 10 row', { prints: /^row$/ }),
        step('wait row', { prints: /^7$/ }),
        step('restart -t 1 row', { prints: /^row$/ }),
        step('exec row true'),
        step('kill -s USR1 row', { prints: /^row$/ }),
        step('wait row', { prints: /^8$/ }),
        step('kill row', { exits: 1, complains: /[Cc]ontainer .* is not running/ }),
        step('start row'),
        step('kill --signal 9 row'),
        step('wait row', { prints: /^137$/ }),
        step('rm row'),
        step('stop row', { exits: 1, complains: /No such container: row/ }),
      ],
    },
    {
      title: 'pause, unpause',
      steps: [
        step(`run -d --name row ${image} sleep 1000`),
        step('pause row', { prints: /^row$/ }),
        step('ps --format', { prints: /^Up .* \(Paused\)$/ }, '{{.Status}}'),
        step('pause row', { exits: 1, complains: /is already paused/ }),
        step('exec row true', {
          exits: 1,
          complains: /is paused, unpause the container before exec/,
        }),
        step('unpause row', { prints: /^row$/ }),
        step('unpause row', { exits: 1, complains: /is not paused/ }),
        step('rm -f row'),
      ],
    },
    {
      title: 'rename, update',
      steps: [
        step(`run -d --name early ${image} sleep 1000`),
        step('rename early row', { prints: /^$/ }),
        step(`create --name early ${image}`),
        step('rename row early', {
          exits: 1,
          complains:
            /Conflict\. The container name "\/early" is already in use by container "[0-9a-f]{64}"/,
        }),
        step('rm early'),
        step('update --restart on-failure:3 row', { prints: /^row$/ }),
        step(
          'inspect -f',
          { prints: /^on-failure 3$/ },
          '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}',
          'row',
        ),
        step('update --cpu-shares 256 -m 128m --memory-swap 256m row', { prints: /^row/ }),
        step(
          'inspect -f',
          { prints: /^256 134217728$/ },
          '{{.HostConfig.CpuShares}} {{.HostConfig.Memory}}',
          'row',
        ),
        step('rm -f row'),
      ],
    },
    {
      title: 'rm, rm -f, rm -v, prune',
      steps: [
        step(`run -d --name row -v /anonymous ${image} sleep 1000`),
        step('rm row', {
          exits: 1,
          complains:
            /cannot remove container "?\/?row"?: container is running: stop the container before removing or force remove|You cannot remove a running container/,
        }),
        step('rm -f -v row', { prints: /^row$/ }),
        step('volume ls -q -f dangling=true', { prints: /^(rows)?$/ }),
        step('rm row', { exits: 1, complains: /No such container: row/ }),
        step(`create --name row --label keep=no ${image}`),
        step('container prune -f --filter label=keep=yes', {
          prints: /^Total reclaimed space: 0B$/,
        }),
        step('container prune -f --filter label=keep=no', {
          prints: /^Deleted Containers:\n[0-9a-f]{64}\n\nTotal reclaimed space: /,
        }),
      ],
    },
    {
      title: 'exec with each of its flags',
      steps: [
        step(`run -d --name row ${image} sleep 1000`),
        step('exec -i row cat', { stdin: 'typed', prints: /^typed$/ }),
        step(
          'exec -e A=b -u 12 -w /tmp row sh -c',
          { prints: /^b 12 \/tmp$/ },
          'echo $A $(id -u) $PWD',
        ),
        step(
          'exec --privileged row sh -c',
          { prints: /[1-9a-f][0-9a-f]{9}$/ },
          'grep CapEff /proc/self/status',
        ),
        step('exec -d row touch /detached', { prints: /^$/ }),
        step('exec row sh -c', {}, 'until [ -e /detached ]; do sleep 0.02; done'),
        step(
          'exec row sh -c',
          { exits: 6, prints: /^out$/, complains: /^err$/ },
          'echo out; echo err >&2; exit 6',
        ),
        step('exec row no-such-program', {
          exits: 127,
          // Into the stream that is open by then.
          prints: /executable file not found in \$PATH/,
        }),
        step('exec row /etc', { exits: 126 }),
        step('stop -t 0 row'),
        step('exec row true', { exits: 1, complains: /[Cc]ontainer .* is not running/ }),
        step('rm row'),
      ],
    },
    {
      title: 'attach',
      steps: [
        step(`create --name row -i ${image} sh -c`, {}, 'read line; echo got $line; exit 4'),
        step('start row'),
        step('attach row', { stdin: 'a line\n', exits: 4, prints: /^got a line$/ }),
        step('attach row', {
          exits: 1,
          complains: /cannot attach to a stopped container, start it first/i,
        }),
        step('rm row'),
      ],
    },
  ];
}

function lookCases({ image }: Surroundings): readonly Case[] {
  const size = '{{.Names}} {{.Size}}';
  return [
    {
      title: 'ps with its flags, columns and filters',
      steps: [
        step('ps', { prints: /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES$/ }),
        step(`run -d --name row -l kind=row -p 127.0.0.1::80 ${image} sleep 1000`),
        step(`create --name idle ${image}`),
        step('ps', {
          prints:
            /^[0-9a-f]{12} +\S+ +"sleep 1000" +.* ago +Up .* +127\.0\.0\.1:\d+->80\/tcp +row$/m,
        }),
        step('ps -a --format', { prints: /^idle created\nrow running$/ }, '{{.Names}} {{.State}}'),
        step('ps -q', { prints: /^[0-9a-f]{12}$/ }),
        step('ps -q --no-trunc', { prints: ID }),
        step('ps -l --format {{.Names}}', { prints: /^idle$/ }),
        step('ps -n 1 --format {{.Names}}', { prints: /^idle$/ }),
        step('ps -s --format', { prints: /^row \d+\S*B \(virtual \d\S+B\)$/ }, size),
        step('ps --format', { prints: /^\{"Command":.*"Names":"row".*\}$/ }, '{{json .}}'),
        ...[
          ['name=ro', 'row'],
          ['label=kind=row', 'row'],
          ['status=created', 'idle'],
          ['before=idle', 'row'],
          ['since=row', 'idle'],
          ['publish=80', 'row'],
          ['expose=80', 'row'],
          ['network=bridge', 'idle\nrow'],
          [`ancestor=${image}`, 'idle\nrow'],
          ['health=none', 'idle\nrow'],
        ].map(([filter, names]) =>
          step(`ps -a --format {{.Names}} -f ${filter}`, { prints: new RegExp(`^${names}$`) }),
        ),
        step('ps -f nothing=1', { exits: 1, complains: /invalid filter 'nothing'/ }),
        step('rm -f row idle', { prints: /^row\nidle$/ }),
      ],
    },
    {
      title: 'top, stats, port',
      steps: [
        step(`run -d --name row -p 127.0.0.1::80 -p 127.0.0.1::53/udp ${image} sleep 1000`),
        step('top row', { prints: /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n.* sleep 1000$/ }),
        step('top row -o pid,comm', { prints: /^PID +COMMAND\n\d+ +sleep$/ }),
        step('stats --no-stream row', {
          prints:
            /^CONTAINER ID +NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\s+[0-9a-f]{12} +row +[\d.]+% /,
        }),
        step('stats --no-stream --format', { prints: /^row 1$/ }, '{{.Name}} {{.PIDs}}'),
        step('stats --no-stream -a --no-trunc --format {{.ID}}', { prints: ID }),
        step('port row', { prints: /^(?:(?:53\/udp|80\/tcp) -> 127\.0\.0\.1:\d+\s*){2}$/ }),
        step('port row 80', { prints: /^127\.0\.0\.1:\d+$/ }),
        step('port row 53/udp', { prints: /^127\.0\.0\.1:\d+$/ }),
        step('port row 81', {
          exits: 1,
          complains: /no public port '81(\/tcp)?' published for row/i,
        }),
        step('rm -f row'),
        step('top row', { exits: 1, complains: /No such container: row/ }),
      ],
    },
    {
      title: 'logs with its flags',
      steps: [
        step(`run --name row ${image} sh -c`, {}, 'echo 1; echo 3'),
        step('logs row', { prints: /^1\n3$/, complains: /^$/ }),
        step('logs -f --tail 1 row', { prints: /^3$/ }),
        step('logs -n 2 row', { prints: /^1\n3$/ }),
        step('logs -t row', { prints: /^20\d\d-\d\d-\d\dT[\d:]+\.\d{9}Z 1\n/ }),
        step('logs --details row', { prints: /^1\n 3$/ }),
        step('logs --since 1h row', { prints: /^1\n3$/ }),
        step('logs --until 1h row', { prints: /^$/ }),
        step('rm row'),
        step('logs row', { exits: 1, complains: /No such container: row/ }),
      ],
    },
    {
      title: 'inspect with its flags',
      steps: [
        step(`create --name row ${image} true`),
        step('inspect row', {
          prints:
            /^\[\n {4}\{\n {8}"Id": "[0-9a-f]{64}",[\s\S]*"Path": "true",[\s\S]*"State": \{\n {12}"Status": "created",[\s\S]*"Name": "\/row",[\s\S]*"HostConfig": \{[\s\S]*"Mounts": \[\],[\s\S]*"NetworkSettings": \{/,
        }),
        step('inspect -s -f', { prints: /^\d+ \d+$/ }, '{{.SizeRw}} {{.SizeRootFs}}', 'row'),
        step('inspect --type image row', { exits: 1, complains: /No such image: row/i }),
        step('container inspect row -f {{.Name}}', { prints: /^\/row$/ }),
        step('rm row'),
        step('inspect row', { exits: 1, prints: /^\[\]$/, complains: /No such object: row/i }),
      ],
    },
  ];
}
