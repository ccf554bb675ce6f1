/**
 * Measures: `npm run bench -- [--json] [--rounds N] [cli|start|api|exec|daemon|memory|fleet|list|idle|images|logs|network|names|networks|build...]`, all
 * sections when none is named. Medians of one run on one machine, beside the bare runtimes and the peers that are installed.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../src/shared/errors.ts';
import { runCommand } from '../test/support/run-command.ts';
import type { BareTimes } from './bench/bare-runtime.ts';
import { measureTransferFloor } from './bench/image-transfers.ts';
import { mediansMs } from './bench/measure.ts';
import { measureNetworkFloor } from './bench/network-floor.ts';
import { startPodman } from './bench/podman-subject.ts';
import { type Column, toJson, toTable } from './bench/report.ts';
import { SECTIONS, type Section } from './bench/sections.ts';
import type { Subject } from './bench/subject.ts';
import { startWherry } from './bench/wherry-subject.ts';
import { build } from './build.ts';
import { commandAs, isRoot, ordinaryUser } from './setup/ordinary-user.ts';
import { findTool } from './setup/requirements.ts';
import { setUp } from './setup.ts';

const ROOT = dirname(import.meta.dirname);
const UNSHARE = [
  'unshare',
  '--user',
  '--map-root-user',
  '--map-auto',
  '--mount',
  '--propagation',
  'private',
];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '15' } },
  });
  const rounds = Number(values.rounds);
  const wanted = (name: string) => positionals.length === 0 || positionals.includes(name);
  const sections = (Object.keys(SECTIONS) as Section[]).filter(wanted);
  const columns: Column[] = [];
  if (sections.length > 0) columns.push(...(await measureEngines(sections, rounds)));
  if (wanted('cli')) columns.unshift(...(await measureCliStart(rounds, columns.shift())));
  if (wanted('images')) {
    const readings = new Map(await measureTransferFloor());
    columns.push({ name: 'curl | tar', readings });
  }
  if (wanted('network')) {
    for (const [name, readings] of await measureNetworkFloor()) {
      columns.push({ name, readings: new Map(readings) });
    }
  }
  if (wanted('start') || wanted('exec')) columns.push(...(await measureBareRuntimes()));
  console.log(values.json === true ? toJson(columns) : toTable(columns));
}

async function measureEngines(sections: readonly Section[], rounds: number): Promise<Column[]> {
  const columns = [await measureEngine(await startWherry(), sections, rounds)];
  const peer = findTool('podman') === undefined ? undefined : await startPodman();
  if (peer !== undefined) columns.push(await measurePeer(peer, sections, rounds));
  return columns;
}

async function measureEngine(
  subject: Subject,
  sections: readonly Section[],
  rounds: number,
): Promise<Column> {
  await using running = subject;
  const readings: (readonly [string, number])[] = [];
  for (const section of sections) readings.push(...(await SECTIONS[section](running, rounds)));
  return { name: running.name, readings: new Map(readings) };
}

/** What a peer cannot do on this machine is left out with the reason; the other sections still count. */
async function measurePeer(
  subject: Subject,
  sections: readonly Section[],
  rounds: number,
): Promise<Column> {
  await using running = subject;
  const readings = new Map<string, number>();
  const failures = new Map<string, string>();
  for (const section of sections) {
    try {
      for (const [name, value] of await SECTIONS[section](running, rounds)) {
        readings.set(name, value);
      }
    } catch (error) {
      failures.set(section, messageOf(error).trim());
    }
  }
  return { name: running.name, readings, failures };
}

/** The start of the program itself beside that of Node with nothing to do, added to our own column. */
async function measureCliStart(rounds: number, ours: Column | undefined): Promise<Column[]> {
  const start =
    (...args: readonly string[]) =>
    () =>
      runCommand([process.execPath, ...args]);
  const name = 'wherry --version, ms';
  const programs = [start(join(ROOT, 'dist/cli.js'), '--version'), start('-e', '0')];
  const [own = Number.NaN, bare = Number.NaN] = await mediansMs(rounds, programs);
  return [
    { name: 'wherry', readings: new Map([...(ours?.readings ?? []), [name, own]]) },
    { name: 'node -e 0', readings: new Map([[name, bare]]) },
  ];
}

async function measureBareRuntimes(): Promise<Column[]> {
  const script = join(ROOT, 'scripts/bench/bare-runtime.ts');
  const { code, stdout, stderr } = await runCommand([
    ...UNSHARE,
    '--',
    process.execPath,
    '--import',
    'tsx',
    script,
  ]);
  if (code !== 0) throw new Error(`bare runtimes: ${stderr}`);
  const times: Record<string, BareTimes> = JSON.parse(stdout);
  return Object.entries(times).map(([name, { runMs, execMs }]) => ({
    name: `bare ${name}`,
    readings: new Map([
      ['run --rm true, no network, ms', runMs],
      ['exec true, ms', execMs],
    ]),
  }));
}

/** As root everything is measured in the ordinary account that the tests have. */
async function runAsOrdinaryUser(): Promise<number> {
  await setUp('test');
  await build();
  const user = await ordinaryUser();
  const again = [
    process.execPath,
    '--import',
    'tsx',
    import.meta.filename,
    ...process.argv.slice(2),
  ];
  const [file = '', ...args] = commandAs(user, again);
  return spawnSync(file, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
}

if (isRoot()) process.exitCode = await runAsOrdinaryUser();
else await main();
