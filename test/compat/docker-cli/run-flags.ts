/** The flags of `docker run` and `docker create`, as the reference of the command line lists them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Case, type Step, type Surroundings, step } from './step.ts';

/** Flags whose effect a script sees inside of the container: flags, script, what it prints. */
const SEEN_INSIDE: readonly (readonly [string, string, RegExp])[] = [
  ['--add-host berth:10.0.0.9', 'cat /etc/hosts', /^10\.0\.0\.9\s+berth$/m],
  ['--cap-drop CHOWN', 'chown 1 /tmp 2>/dev/null || echo denied', /^denied$/],
  ['--cap-drop ALL', 'grep CapEff /proc/self/status', /\s0{16}$/],
  ['--cap-add SYS_ADMIN', 'mount -t tmpfs none /var/tmp && echo mounted', /^mounted$/],
  ['--cgroupns private', 'cat /proc/self/cgroup; echo read', /read$/],
  ['--device /dev/null:/dev/other', 'test -c /dev/other && echo there', /^there$/],
  ['--dns 10.9.9.9', 'cat /etc/resolv.conf', /^nameserver 10\.9\.9\.9$/m],
  ['--dns-search example.test', 'cat /etc/resolv.conf', /^search example\.test$/m],
  ['--dns-option ndots:3', 'cat /etc/resolv.conf', /^options .*ndots:3/m],
  ['--domainname example.test', 'cat /proc/sys/kernel/domainname', /^example\.test$/],
  ['-e A=b --env C=d', 'echo $A $C', /^b d$/],
  ['--group-add 77', 'id -G', /\b77$/],
  ['-h berth', 'hostname; cat /etc/hostname', /^berth\nberth$/],
  ['--init', 'cat /proc/1/cmdline', /^\/sbin\/docker-init/],
  ['--ipc private', 'df -k /dev/shm', / 65536 .*\/dev\/shm$/],
  ['--log-driver none', 'echo said', /^said$/],
  ['--log-driver json-file --log-opt max-size=1m --log-opt max-file=2', 'echo said', /^said$/],
  ['--mac-address 02:42:ac:11:00:99', 'ip link show eth0', /02:42:ac:11:00:99/],
  ['--mount type=tmpfs,target=/m,tmpfs-size=1m,tmpfs-mode=700', 'stat -c %a /m', /^700$/],
  ['--mount type=volume,source=rows,target=/m', 'mount | grep -c " /m "', /^1$/],
  ['--network none', 'ip -o link | wc -l', /^1$/],
  ['--oom-score-adj 500', 'cat /proc/self/oom_score_adj', /^500$/],
  ['--privileged', 'mount -t tmpfs none /var/tmp && echo mounted', /^mounted$/],
  ['--read-only', 'touch /x 2>/dev/null || echo fixed', /^fixed$/],
  ['--read-only --tmpfs /t', 'touch /t/x && echo written', /^written$/],
  ['--security-opt no-new-privileges', 'grep NoNewPrivs /proc/self/status', /1$/],
  ['--shm-size 8m', 'df -k /dev/shm', / 8192 .*\/dev\/shm$/],
  ['--sysctl net.ipv4.ip_default_ttl=33', 'cat /proc/sys/net/ipv4/ip_default_ttl', /^33$/],
  ['--tmpfs /t:size=1m,mode=1770', 'stat -c %a /t; df -k /t', /^1770\n[\s\S]* 1024 /],
  ['--ulimit nofile=64:128', 'ulimit -Sn; ulimit -Hn', /^64\n128$/],
  ['-u 12:34', 'id -u; id -g', /^12\n34$/],
  ['-u nobody', 'id -un', /^nobody$/],
  ['-v rows:/m', 'echo kept >/m/file; cat /m/file', /^kept$/],
  ['-v rows:/m:ro', 'touch /m/x 2>/dev/null || cat /m/file', /^kept$/],
  ['-v /anonymous', 'mount | grep -c " /anonymous "', /^1$/],
  ['-w /var/new', 'pwd', /^\/var\/new$/],
];

/** Settings that inspect shows: flags, template, value. */
const SHOWN: readonly (readonly [string, string, RegExp])[] = [
  ['--cpus 0.5', '{{.HostConfig.NanoCpus}}', /^500000000$/],
  ['-c 512', '{{.HostConfig.CpuShares}}', /^512$/],
  ['--cpu-period 50000 --cpu-quota 25000', '{{.HostConfig.CpuQuota}}', /^25000$/],
  ['--cpuset-cpus 0', '{{.HostConfig.CpusetCpus}}', /^0$/],
  [
    '-m 64m --memory-swap 128m',
    '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}',
    /^67108864 134217728$/,
  ],
  ['--memory-reservation 32m', '{{.HostConfig.MemoryReservation}}', /^33554432$/],
  ['--pids-limit 100', '{{.HostConfig.PidsLimit}}', /^100$/],
  ['--blkio-weight 300', '{{.HostConfig.BlkioWeight}}', /^300$/],
  ['-l one=1 --label two', '{{json .Config.Labels}}', /^\{"one":"1","two":""\}$/],
  [
    '--restart on-failure:2',
    '{{json .HostConfig.RestartPolicy}}',
    /^\{"Name":"on-failure","MaximumRetryCount":2\}$/,
  ],
  ['--restart unless-stopped', '{{.HostConfig.RestartPolicy.Name}}', /^unless-stopped$/],
  [
    '--stop-signal SIGINT --stop-timeout 3',
    '{{.Config.StopSignal}} {{.Config.StopTimeout}}',
    /^SIGINT 3$/,
  ],
  [
    '--expose 81/udp --expose 90-91',
    '{{json .Config.ExposedPorts}}',
    /^\{"81\/udp":\{\},"90\/tcp":\{\},"91\/tcp":\{\}\}$/,
  ],
  [
    '-p 127.0.0.1:0:80',
    '{{json .HostConfig.PortBindings}}',
    /"80\/tcp":\[\{"HostIp":"127\.0\.0\.1","HostPort":"0?"\}\]/,
  ],
  ['-t -i', '{{.Config.Tty}} {{.Config.OpenStdin}}', /^true true$/],
  ['--entrypoint /bin/true', '{{json .Config.Entrypoint}}', /^\["\/bin\/true"\]$/],
  ['--no-healthcheck', '{{json .Config.Healthcheck.Test}}', /^\["NONE"\]$/],
  [
    '--health-cmd true --health-interval 2s --health-retries 4 --health-start-period 1s --health-timeout 3s',
    '{{json .Config.Healthcheck}}',
    /^\{"Test":\["CMD-SHELL","true"\],"Interval":2000000000,"Timeout":3000000000,"StartPeriod":1000000000,"Retries":4\}$/,
  ],
  ['--rm', '{{.HostConfig.AutoRemove}}', /^true$/],
  ['--init', '{{.HostConfig.Init}}', /^true$/],
  ['--network none', '{{.HostConfig.NetworkMode}}', /^none$/],
  ['--uts host', '{{.HostConfig.UTSMode}}', /^host$/],
  ['--userns host', '{{.HostConfig.UsernsMode}}', /^host$/],
  ['--oom-score-adj 100', '{{.HostConfig.OomScoreAdj}}', /^100$/],
  ['-P', '{{.HostConfig.PublishAllPorts}}', /^true$/],
];

/** Rows for every flag. */
export function runFlagCases(where: Surroundings): readonly Case[] {
  const { image } = where;
  const inside = SEEN_INSIDE.map(([flags, script, prints]) => ({
    title: `run ${flags}`,
    steps: [step(`run --rm ${flags} ${image} sh -c`, { prints }, script)],
  }));
  const shown = SHOWN.map(([flags, template, prints]) => ({
    title: `create ${flags}`,
    steps: [
      step(`create --name row ${flags} ${image} sleep 1000`, { prints: /^[0-9a-f]{64}$/ }),
      step('inspect -f', { prints }, template, 'row'),
      step('rm row', { prints: /^row$/ }),
    ],
  }));
  return [...inside, ...shown, ...withFiles(where), ...streamsAndCodes(where)];
}

function withFiles({ image, dir }: Surroundings): readonly Case[] {
  const file = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const env = file('env', 'A=1\n# a comment\nB=two words\n');
  const labels = file('labels', 'one=1\ntwo=2\n');
  const input = file('input', 'from outside');
  return [
    {
      title: 'run --env-file',
      steps: [
        step(
          `run --rm --env-file ${env} ${image} sh -c`,
          { prints: /^1 two words$/ },
          'echo $A $B',
        ),
      ],
    },
    {
      title: 'run --label-file, --cidfile',
      steps: [
        step(
          `run -d --name row --label-file ${labels} --cidfile ${join(dir, 'cid')} ${image} true`,
        ),
        step(
          'inspect -f',
          { prints: /^1 2$/ },
          '{{.Config.Labels.one}} {{.Config.Labels.two}}',
          'row',
        ),
        step('wait row'),
        step('rm row'),
      ],
    },
    {
      title: 'run -v and --mount of a directory',
      steps: [
        step(`run --rm -v ${dir}:/d:ro ${image} cat /d/input`, { prints: /^from outside$/ }),
        step(`run --rm --mount type=bind,src=${input},dst=/f,readonly ${image} cat /f`, {
          prints: /^from outside$/,
        }),
        step(`run --rm --mount type=bind,src=${dir}/none,dst=/f ${image} true`, {
          exits: 125,
          complains: /bind source path does not exist: .*\/none/,
        }),
      ],
    },
    {
      title: 'run --volumes-from, --network container:',
      steps: [
        step(`run -d --name row -v rows:/m ${image} sleep 1000`),
        step(`run --rm --volumes-from row ${image} cat /m/file`, { prints: /^kept$/ }),
        step(`run --rm --network container:row ${image} hostname -i`, { prints: /\d+\.\d+/ }),
        step('rm -f row'),
      ],
    },
    {
      title: 'run --network, --ip, --network-alias of a user network',
      steps: [
        step('network create --subnet 10.88.0.0/24 rows'),
        step(`run --rm --network rows --ip 10.88.0.7 --network-alias me ${image} nslookup me`, {
          prints: /10\.88\.0\.7/,
        }),
        step('network rm rows'),
      ],
    },
  ];
}

function streamsAndCodes({ image }: Surroundings): readonly Case[] {
  const both: Step['words'] = ['echo out; echo err >&2'];
  return [
    {
      title: 'run -i, -a, and what is attached without',
      steps: [
        step(`run --rm -i ${image} cat`, { stdin: 'typed', prints: /^typed$/ }),
        step(`run --rm -a stdout ${image} sh -c`, { prints: /^out$/, complains: /^$/ }, ...both),
        step(`run --rm -a stderr ${image} sh -c`, { prints: /^$/, complains: /^err$/ }, ...both),
        step(`run --rm ${image} sh -c`, { prints: /^out$/, complains: /^err$/ }, ...both),
      ],
    },
    {
      title: 'run ends with the exit code of the command, or 125 to 127',
      steps: [
        step(`run --rm ${image} sh -c`, { exits: 5 }, 'exit 5'),
        step(`run --rm ${image} no-such-program`, {
          exits: 127,
          complains: /executable file not found in \$PATH/,
        }),
        step(`run --rm ${image} /etc`, {
          exits: 126,
          complains: /permission denied|is a directory/i,
        }),
        step(`run --rm --no-such-flag ${image}`, {
          exits: 125,
          complains: /unknown flag: --no-such-flag/,
        }),
        step('run --rm --pull never localhost:1/none', {
          exits: 125,
          complains: /No such image: localhost:1\/none:latest/,
        }),
        step(`run --rm --restart always ${image} true`, {
          exits: 125,
          complains:
            /conflicting options: (--restart and --rm|cannot specify both --restart and --rm)/i,
        }),
        step(`run --rm -w relative ${image} true`, {
          exits: 125,
          complains: /working directory 'relative' is invalid, it needs to be an absolute path/,
        }),
        step(`run --rm -u nosuchuser ${image} true`, {
          exits: 125,
          complains: /unable to find user nosuchuser: no matching entries in passwd file/,
        }),
      ],
    },
  ];
}
