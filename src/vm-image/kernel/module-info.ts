/** What a kernel module says of itself in its section `.modinfo` (linux/include/linux/module.h). */
import { elfSection } from '../elf/elf-file.ts';

export interface ModuleInfo {
  /** Names of modules that must be loaded first, as the kernel spells them (with underscores). */
  readonly depends: readonly string[];
  /** Those that it asks for without needing their symbols (`softdep: pre:`); names or aliases. */
  readonly softDepends: readonly string[];
  /** Patterns of what it serves, e.g. `virtio:d00000002v*`. */
  readonly aliases: readonly string[];
}

/** `corrupt` when `bytes` are no module. */
export function moduleInfo(bytes: Buffer, path: string): ModuleInfo {
  const section = elfSection(bytes, '.modinfo', path);
  const pairs = (section?.toString('latin1') ?? '').split('\0').map((text) => {
    const cut = text.indexOf('=');
    return { key: text.slice(0, Math.max(0, cut)), value: text.slice(cut + 1) };
  });
  const valuesOf = (wanted: string) =>
    pairs.filter(({ key }) => key === wanted).map(({ value }) => value);
  return {
    depends: valuesOf('depends').flatMap((list) => list.split(',').filter(Boolean).map(moduleName)),
    softDepends: valuesOf('softdep').flatMap(namesBefore).map(moduleName),
    aliases: valuesOf('alias'),
  };
}

/** The name of the module in a file such as `virtio-rng.ko.xz`, as the kernel spells it. */
export function moduleName(fileOrName: string): string {
  const name = fileOrName.slice(fileOrName.lastIndexOf('/') + 1);
  return name.replace(/\.ko(\.\w+)?$/, '').replaceAll('-', '_');
}

/** Of `pre: a b post: c` the names after `pre:`. */
function namesBefore(softdep: string): readonly string[] {
  const before = /pre:([^:]*?)(?:\S*:|$)/.exec(softdep)?.[1] ?? '';
  return before.trim().split(/\s+/).filter(Boolean);
}
