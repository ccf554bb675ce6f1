/** The devices that the machine's CDI files describe. Files are read anew each time: drivers write them at any time. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { messageOf } from '../../shared/errors.ts';
import { isMissing } from '../../sys/system-errors.ts';
import { unresolvableDevices } from '../runtime-errors.ts';
import { type CdiEdits, type CdiSpec, decodeCdiSpec, joinEdits } from './cdi-spec.ts';

/** A device with the file that describes it. */
interface KnownDevice {
  readonly spec: CdiSpec;
  readonly edits: CdiEdits;
}

export class CdiRegistry {
  /** Directories, the most important last. */
  readonly #dirs: readonly string[];
  readonly #warn: (message: string) => void;

  /** `warn` is told of files that cannot be used. */
  constructor(dirs: readonly string[], warn: (message: string) => void) {
    this.#dirs = dirs;
    this.#warn = warn;
  }

  /** Qualified names (`vendor.com/class=name`) of all devices, sorted. */
  async names(): Promise<readonly string[]> {
    return [...(await this.#devices()).keys()].toSorted();
  }

  /** What these devices change in a container. `invalid-argument` with Docker's text when one is not known. */
  async edits(names: readonly string[]): Promise<CdiEdits> {
    const devices = await this.#devices();
    const unknown = names.filter((name) => !devices.has(name));
    if (unknown.length > 0) throw unresolvableDevices(unknown);
    const chosen = names.flatMap((name) => devices.get(name) ?? []);
    const specs = new Set(chosen.map(({ spec }) => spec));
    return joinEdits([
      ...[...specs].map(({ containerEdits }) => containerEdits),
      ...chosen.map(({ edits }) => edits),
    ]);
  }

  /** What a later directory says counts, also when that is a contradiction. */
  async #devices(): Promise<ReadonlyMap<string, KnownDevice>> {
    const known = new Map<string, KnownDevice>();
    for (const dir of this.#dirs) {
      for (const [name, device] of await this.#devicesIn(dir)) {
        if (device === undefined) known.delete(name);
        else known.set(name, device);
      }
    }
    return known;
  }

  /** A name that is claimed twice belongs to nobody: undefined. */
  async #devicesIn(dir: string): Promise<ReadonlyMap<string, KnownDevice | undefined>> {
    const here = new Map<string, KnownDevice | undefined>();
    for (const spec of await this.#specsIn(dir)) {
      for (const { name, containerEdits: edits } of spec.devices) {
        const qualified = `${spec.kind}=${name}`;
        if (here.has(qualified)) this.#warn(`${qualified} is defined twice in ${dir}`);
        here.set(qualified, here.has(qualified) ? undefined : { spec, edits });
      }
    }
    return here;
  }

  async #specsIn(dir: string): Promise<readonly CdiSpec[]> {
    const names = await readdir(dir).catch((error: unknown) => {
      if (!isMissing(error)) this.#warn(`${dir}: ${messageOf(error)}`);
      return [];
    });
    const paths = names
      .filter((name) => ['.json', '.yaml', '.yml'].includes(extname(name)))
      .map((name) => join(dir, name));
    return (await Promise.all(paths.toSorted().map((path) => this.#read(path)))).flat();
  }

  async #read(path: string): Promise<readonly CdiSpec[]> {
    try {
      const text = await readFile(path, 'utf8');
      const decoded = decodeCdiSpec(await parse(path, text));
      if (!('wrong' in decoded)) return [decoded];
      this.#warn(`${path}: ${decoded.wrong}`);
    } catch (error) {
      this.#warn(`${path}: ${messageOf(error)}`);
    }
    return [];
  }
}

/** Most machines have no such file: the parser is loaded with the first one. */
async function parse(path: string, text: string): Promise<unknown> {
  if (extname(path) === '.json') return JSON.parse(text);
  const { parseYaml } = await import('./parse-yaml.ts');
  return parseYaml(text);
}
