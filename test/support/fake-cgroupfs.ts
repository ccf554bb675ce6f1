/** A directory tree that behaves like the kernel's version 2 hierarchy, as far as limits go. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type CgroupFiles, kernelCgroups } from '../../src/sys/cgroup/cgroup-files.ts';

/** Files that a group has because its parent passes a controller on, with what they say at first. */
const CONTROLLER_FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  memory: {
    'memory.max': 'max',
    'memory.low': '0',
    'memory.swap.max': 'max',
    'memory.events': 'low 0\nmax 0\noom 0\noom_kill 0\n',
  },
  cpu: { 'cpu.weight': '100', 'cpu.max': 'max 100000' },
  cpuset: { 'cpuset.cpus': '', 'cpuset.cpus.effective': '0-1', 'cpuset.mems': '' },
  pids: { 'pids.max': 'max', 'pids.current': '0' },
  io: { 'io.max': '', 'io.weight': 'default 100' },
};

const EVENTS = 'cgroup.events';

/** Hierarchy on a directory. `history` has every write, in order. */
export class FakeCgroupfs implements CgroupFiles {
  readonly history: string[] = [];
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  /** A root group in the empty directory `root` that offers `controllers`. */
  static async create(root: string, controllers: readonly string[]): Promise<FakeCgroupfs> {
    const fake = new FakeCgroupfs(root);
    await fake.#fill(root, controllers, []);
    return fake;
  }

  read(path: string): Promise<string | undefined> {
    return kernelCgroups.read(path);
  }

  async write(path: string, text: string): Promise<void> {
    this.history.push(`${path.slice(this.root.length)}=${text}`);
    const name = basename(path);
    if (name === 'cgroup.subtree_control') return await this.#control(dirname(path), text);
    if (name === 'cgroup.procs') return await this.#join(dirname(path), text);
    if (name === 'cpuset.cpus' && !/^[01](-1)?(,1)?$/.test(text)) throw errno('EINVAL');
    if ((await this.read(path)) === undefined) throw errno('ENOENT');
    await writeFile(path, text);
    if (name === 'cgroup.freeze')
      await this.setEvent(join(dirname(path), EVENTS), 'frozen', Number(text));
    if (name === 'cgroup.kill') {
      await writeFile(join(dirname(path), 'cgroup.procs'), '');
      await this.setEvent(join(dirname(path), EVENTS), 'populated', 0);
    }
  }

  async makeGroup(dir: string): Promise<void> {
    const offered = await this.#words(join(dirname(dir), 'cgroup.subtree_control'));
    try {
      await mkdir(dir);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
      throw error;
    }
    await this.#fill(dir, offered, offered);
  }

  async removeGroup(dir: string): Promise<void> {
    if ((await this.#words(join(dir, 'cgroup.procs'))).length > 0) throw errno('EBUSY');
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => entry.isDirectory())) throw errno('EBUSY');
    await rm(dir, { recursive: true, force: true });
  }

  subgroups(dir: string): Promise<readonly string[]> {
    return kernelCgroups.subgroups(dir);
  }

  /** Makes an event file say something, as the kernel would. */
  async setEvent(path: string, name: string, value: number): Promise<void> {
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(new RegExp(`^${name} .*$`, 'm'), `${name} ${value}`));
  }

  async #fill(dir: string, offered: readonly string[], passed: readonly string[]): Promise<void> {
    const files: Record<string, string> = {
      'cgroup.controllers': offered.join(' '),
      'cgroup.subtree_control': '',
      'cgroup.procs': '',
      'cgroup.freeze': '0',
      'cgroup.kill': '',
      [EVENTS]: 'populated 0\nfrozen 0\n',
    };
    for (const name of passed) Object.assign(files, CONTROLLER_FILES[name]);
    for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  }

  async #control(dir: string, text: string): Promise<void> {
    const path = join(dir, 'cgroup.subtree_control');
    const [sign, name] = [text.slice(0, 1), text.slice(1)];
    if (!(await this.#words(join(dir, 'cgroup.controllers'))).includes(name)) throw errno('ENOENT');
    if (sign === '+' && (await this.#words(join(dir, 'cgroup.procs'))).length > 0) {
      throw errno('EBUSY');
    }
    const others = (await this.#words(path)).filter((each) => each !== name);
    await writeFile(path, (sign === '+' ? [...others, name] : others).join(' '));
  }

  /** A process is in one group; one that passes controllers on takes none. */
  async #join(dir: string, pid: string): Promise<void> {
    if ((await this.#words(join(dir, 'cgroup.subtree_control'))).length > 0) throw errno('EBUSY');
    await this.#leave(this.root, pid);
    const path = join(dir, 'cgroup.procs');
    await writeFile(path, [...(await this.#words(path)), pid].join('\n'));
    await this.setEvent(join(dir, EVENTS), 'populated', 1);
  }

  async #leave(dir: string, pid: string): Promise<void> {
    const path = join(dir, 'cgroup.procs');
    await writeFile(path, (await this.#words(path)).filter((each) => each !== pid).join('\n'));
    for (const name of await this.subgroups(dir)) await this.#leave(join(dir, name), pid);
  }

  async #words(path: string): Promise<readonly string[]> {
    return ((await this.read(path)) ?? '').split(/\s+/).filter(Boolean);
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}
