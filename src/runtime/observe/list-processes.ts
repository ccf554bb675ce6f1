/** Processes of a container by the machine's own `ps`, whose columns and options clients expect. */
import { run } from '../../sys/exec/run.ts';
import { noPidColumn, psFailed } from '../runtime-errors.ts';
import type { ProcessTable } from '../task-observer.ts';

const TIMEOUT_MS = 10_000;
/** A machine full of processes prints a few MiB; beyond this nobody reads it. */
const MOST_BYTES = 16 << 20;
const WHITE_SPACE = /[ \t\n\f\r]+/;

/** The table of `ps` reduced to `pids`; errors are those of `TaskObserver.listProcesses`. */
export async function listProcesses(
  pids: readonly number[],
  psArgs: readonly string[],
): Promise<ProcessTable> {
  // Asking for the pids alone spares `ps` the rest of the machine, but not every option allows that.
  const chosen = await ps([...psArgs, `-q${pids.join(',')}`]);
  const printed = chosen.exitCode === 0 ? chosen : await ps(psArgs);
  if (printed.exitCode !== 0) throw psFailed(printed.stderr.split('\n')[0] ?? '');
  return selectProcesses(printed.stdout, new Set(pids));
}

function ps(args: readonly string[]) {
  return run({ file: 'ps', args }, { timeoutMs: TIMEOUT_MS, maxBytes: MOST_BYTES });
}

/**
 * Titles, and the lines whose column PID holds one of `pids`. A line with `-` there is a thread of the process
 * above it (`ps m`).
 */
export function selectProcesses(text: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = '', ...lines] = text.split('\n');
  const titles = cellsOf(header);
  const pidColumn = titles.indexOf('PID');
  if (pidColumn < 0) throw noPidColumn();
  const processes: (readonly string[])[] = [];
  let belongs = false;
  for (const line of lines) {
    const cells = cellsOf(line);
    if (cells.length === 0) continue;
    const pid = cells[pidColumn];
    if (pid !== '-') belongs = pids.has(Number(pid));
    if (belongs) processes.push(fitTo(titles.length, cells));
  }
  return { titles, processes };
}

function cellsOf(line: string): readonly string[] {
  return line.split(WHITE_SPACE).filter((cell) => cell !== '');
}

/** The last column holds the rest of the line: a command with its arguments. */
function fitTo(columns: number, cells: readonly string[]): readonly string[] {
  const last = columns - 1;
  return [...cells.slice(0, last), cells.slice(last).join(' ')];
}
