/** The modules of a kernel package, those that are wanted with what they depend on, and the tables for modprobe(8). */
import type { ImageTree } from '../tree/image-tree.ts';
import { notInPackages } from '../vm-image-errors.ts';
import { type ModuleInfo, moduleInfo, moduleName } from './module-info.ts';

/** A module ready to be loaded. */
export interface KernelModule {
  readonly name: string;
  /** Below the directory of the kernel's modules: `kernel/fs/erofs/erofs.ko`. */
  readonly path: string;
  readonly content: Buffer;
  readonly info: ModuleInfo;
}

/** How the modules are packed: `.ko.xz` since Debian 13. */
export type Unpack = (packed: Buffer) => Promise<Buffer>;

const MODULES_DIR = /^usr\/lib\/modules\/([^/]+)\/(kernel\/.+\.ko)(\.xz)?$/;

export class KernelModules {
  /** As `uname -r` prints it. */
  readonly release: string;
  readonly #packed = new Map<string, { path: string; content: Buffer; isPacked: boolean }>();
  readonly #ready = new Map<string, KernelModule>();
  readonly #builtIn: ReadonlySet<string>;
  readonly #unpack: Unpack;

  /** `source` has the files of the kernel's package. `invalid-argument` when there is no module in it. */
  constructor(source: ImageTree, unpack: Unpack) {
    let release = '';
    for (const [path, entry] of source.sorted()) {
      const found = MODULES_DIR.exec(path);
      if (found === null || entry.kind !== 'file') continue;
      const [, version = '', inside = '', ending] = found;
      release = version;
      const isPacked = ending !== undefined;
      this.#packed.set(moduleName(inside), { path: inside, content: entry.content, isPacked });
    }
    if (release === '') throw notInPackages('kernel modules', 'the recipe');
    this.release = release;
    this.#unpack = unpack;
    const list = source.contentOf(`usr/lib/modules/${release}/modules.builtin`);
    this.#builtIn = new Set(list?.toString().split('\n').filter(Boolean).map(moduleName));
  }

  /**
   * The wanted modules, each after those that it depends on. A name may end with `*`. What is built into the kernel
   * needs no module; a name that is neither is `invalid-argument`.
   */
  async select(wanted: readonly string[]): Promise<readonly KernelModule[]> {
    const chosen = new Map<string, KernelModule>();
    for (const name of wanted.flatMap((pattern) => this.#namesLike(pattern))) {
      await this.#choose(name, chosen);
    }
    return [...chosen.values()];
  }

  async #choose(name: string, chosen: Map<string, KernelModule>): Promise<void> {
    if (chosen.has(name) || this.#builtIn.has(name)) return;
    const module = await this.#module(name);
    const { depends, softDepends } = module.info;
    const soft = softDepends.filter((wish) => this.#packed.has(wish));
    for (const needed of [...depends, ...soft]) await this.#choose(needed, chosen);
    chosen.set(name, module);
  }

  async #module(name: string): Promise<KernelModule> {
    const ready = this.#ready.get(name);
    if (ready !== undefined) return ready;
    const packed = this.#packed.get(name);
    if (packed === undefined) throw notInPackages(`the kernel module ${name}`, 'the recipe');
    const content = packed.isPacked ? await this.#unpack(packed.content) : packed.content;
    const { path } = packed;
    const module = { name, path, content, info: moduleInfo(content, path) };
    this.#ready.set(name, module);
    return module;
  }

  #namesLike(pattern: string): readonly string[] {
    const name = moduleName(pattern);
    if (!name.endsWith('*')) return [name];
    const found = [...this.#packed.keys()].filter((known) => known.startsWith(name.slice(0, -1)));
    if (found.length === 0) throw notInPackages(`a kernel module ${pattern}`, 'the recipe');
    return found.toSorted();
  }
}

/** Puts modules and the tables for modprobe below `usr/lib/modules/<release>`. */
export function addModules(
  tree: ImageTree,
  release: string,
  modules: readonly KernelModule[],
): void {
  const dir = `usr/lib/modules/${release}`;
  const byName = new Map(modules.map((module) => [module.name, module]));
  const addTable = (name: string, lines: readonly string[]) => {
    const content = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    tree.add(`${dir}/${name}`, { kind: 'file', mode: 0o644, content });
  };
  for (const { path, content } of modules) {
    tree.add(`${dir}/${path}`, { kind: 'file', mode: 0o644, content });
  }
  const sorted = modules.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  addTable(
    'modules.dep',
    sorted.map((module) => `${module.path}: ${pathsBefore(module, byName).join(' ')}`.trimEnd()),
  );
  addTable(
    'modules.alias',
    sorted.flatMap(({ name, info }) => info.aliases.map((alias) => `alias ${alias} ${name}`)),
  );
}

/** Everything that a module needs, the nearest first: modprobe loads from the end. */
function pathsBefore(
  module: KernelModule,
  byName: ReadonlyMap<string, KernelModule>,
): readonly string[] {
  const paths = new Set<string>();
  const visit = ({ info }: KernelModule) => {
    const needed = [...info.depends, ...info.softDepends].flatMap((name) => byName.get(name) ?? []);
    for (const each of needed) {
      // Again at the end, when a later one needs it too.
      paths.delete(each.path);
      paths.add(each.path);
      visit(each);
    }
  };
  visit(module);
  return [...paths];
}
