/** A program in a terminal that a test looks at and types into, as a person would. Driven through tmux. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { runCommand } from './run-command.ts';

/** A terminal's size in character cells. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** The pane stays when the program ends, so that its last screen can be read. */
const SETTINGS = 'set -g remain-on-exit on\nset -g status off\nset -g default-terminal xterm\n';

/** One program in one terminal. */
export class Terminal implements AsyncDisposable {
  readonly #dir: string;
  readonly #env: Readonly<Record<string, string>>;

  private constructor(dir: string, env: Readonly<Record<string, string>>) {
    this.#dir = dir;
    this.#env = env;
  }

  /** Starts `argv` in a new terminal. */
  static async open(
    argv: readonly string[],
    env: Readonly<Record<string, string>>,
    size: ScreenSize = { columns: 80, rows: 24 },
  ): Promise<Terminal> {
    const dir = await mkdtemp(join(tmpdir(), 'tty-'));
    await writeFile(join(dir, 'conf'), SETTINGS);
    const terminal = new Terminal(dir, env);
    const cells = ['-x', String(size.columns), '-y', String(size.rows)];
    await terminal.#tmux(
      '-f',
      join(dir, 'conf'),
      'new-session',
      '-d',
      ...cells,
      '--',
      ...recorded(dir, argv),
    );
    return terminal;
  }

  /** Types text as it is. */
  async type(text: string): Promise<void> {
    await this.#tmux('send-keys', '-l', '--', text);
  }

  /** Presses keys by tmux's names: `Enter`, `C-p`, `Up`. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#tmux('send-keys', key);
  }

  async resize({ columns, rows }: ScreenSize): Promise<void> {
    await this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** The text on the screen now, including what has scrolled away. */
  async screen(): Promise<string> {
    return this.#tmux('capture-pane', '-p', '-S', '-500');
  }

  /** Resolves with the screen once `pattern` is on it. */
  async shows(pattern: RegExp, withinMs = 20_000): Promise<string> {
    let screen = '';
    await eventually(
      async () => {
        screen = await this.screen();
        return pattern.test(screen);
      },
      { withinMs, everyMs: 100 },
    ).catch((cause: unknown) => {
      throw new Error(`${pattern} never came on the screen:\n${screen}`, { cause });
    });
    return screen;
  }

  /** Resolves with the exit code once the program has ended. */
  async exitCode(withinMs = 20_000): Promise<number> {
    const path = join(this.#dir, 'exit');
    const code = await eventually(() => readFile(path, 'utf8'), { withinMs, everyMs: 100 });
    return Number(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await runCommand(['tmux', '-S', this.#socket, 'kill-server'], { env: this.#env });
    await rm(this.#dir, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.#dir, 'sock');
  }

  async #tmux(...args: readonly string[]): Promise<string> {
    const argv = ['tmux', '-S', this.#socket, ...args];
    const { code, stdout, stderr } = await runCommand(argv, { env: this.#env });
    assert.equal(code, 0, `${argv.join(' ')}: ${stderr}`);
    return stdout;
  }
}

/** `argv` under a shell that writes its exit code beside the socket: tmux does not always learn it. */
function recorded(dir: string, argv: readonly string[]): readonly string[] {
  const script = 'dir=$1; shift; "$@"; echo $? >"$dir/exit.new"; mv "$dir/exit.new" "$dir/exit"';
  return ['sh', '-c', script, 'sh', dir, ...argv];
}
