/**
 * The only door to native code: declares C functions of the C library lazily. koffi is loaded with the first
 * call, so that commands which touch nothing native start without it.
 */
import { createRequire } from 'node:module';
import type * as KoffiModule from 'koffi';
import { facilityUnavailable, systemError } from './system-errors.ts';

type Koffi = typeof KoffiModule;
type Library = ReturnType<Koffi['load']>;
type KoffiFunction = ReturnType<Library['func']>;

/** Gives a library, loading it when needed. */
export type FindLibrary = () => Library;

/** What may be passed to a C function: numbers, strings, buffers, NULL-terminated string lists. */
export type NativeArgument =
  | number
  | bigint
  | string
  | null
  | Uint8Array
  | Int32Array
  | readonly (string | null)[];

/** A C function whose result fits a JavaScript number. */
export type NativeFunction = (...args: readonly NativeArgument[]) => number;

/** How a C function ended that ran beside the program. */
export interface NativeOutcome {
  readonly result: number;
  /** errno right after the call. */
  readonly errno: number;
}

/** A C function that runs in a thread of node's pool, while the event loop goes on. */
export type BackgroundFunction = (...args: readonly NativeArgument[]) => Promise<NativeOutcome>;

/** A watch of node's event loop. It must be kept referenced: one that is collected as garbage ends. */
export interface PollHandle {
  ref(): void;
  unref(): void;
}

let koffi: Koffi | undefined;
let library: Library | undefined;

/**
 * Declares a function of the C library, or of another one, by its prototype; nothing is loaded before the first call.
 * Variadic functions (`ioctl`, `prctl`, `fcntl`) are declared with fixed integer or pointer arguments, which
 * the Linux ABIs pass in the same registers. Calls throw `unavailable` where there is no native library.
 */
export function nativeFunction(prototype: string, find: FindLibrary = cLibrary): NativeFunction {
  let bound: NativeFunction | undefined;
  return (...args) => {
    bound ??= find().func(prototype) as NativeFunction;
    return bound(...args);
  };
}

/**
 * A shared library beside the C library, loaded when a function of it is first called: then `unavailable` when none of
 * the file names can be loaded; `remedy` says what brings it.
 */
export function sharedLibrary(names: readonly string[], remedy: string): FindLibrary {
  let loaded: Library | undefined;
  return () => {
    loaded ??= loadFirst(names, remedy);
    return loaded;
  };
}

function loadFirst(names: readonly string[], remedy: string): Library {
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      return loadKoffi().load(name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw facilityUnavailable(`${names[0]} is not installed: ${remedy}`, failures[0]);
}

/**
 * Declares a function like `nativeFunction` that may wait for long. Each running call takes a thread of the pool
 * that file operations share, and the program does not end before it returns. What `args` hold must stay as it is
 * until then. Rejects with `unavailable` where there is no native library.
 */
export function backgroundFunction(
  prototype: string,
  find: FindLibrary = cLibrary,
): BackgroundFunction {
  let bound: KoffiFunction | undefined;
  return async (...args) => {
    bound ??= find().func(prototype);
    const { async: begin } = bound;
    return await new Promise((resolve, reject) => {
      begin(...args, (error: unknown, result: number) => {
        // koffi keeps the thread's errno for as long as this callback runs.
        if (error === null) resolve({ result, errno: lastErrno() });
        else reject(facilityUnavailable(`${prototype} cannot be called`, error));
      });
    });
  };
}

/** True when the C library has a function of this name. */
export function hasNativeFunction(name: string): boolean {
  try {
    return cLibrary().symbol(name) !== null;
  } catch {
    return false;
  }
}

/** True when native calls work at all here: Linux with a prebuilt koffi. */
export function isNativeAvailable(): boolean {
  try {
    cLibrary();
    return true;
  } catch {
    return false;
  }
}

/**
 * `result` when it is not negative; throws the system error of the last call otherwise. Call it directly on the
 * result: any other native call in between overwrites errno.
 */
export function checked(result: number, call: string, subject?: string): number {
  if (result >= 0) return result;
  throw systemError({ call, errno: lastErrno(), ...(subject === undefined ? {} : { subject }) });
}

/** errno of the last native call. */
export function lastErrno(): number {
  return loadKoffi().errno();
}

/**
 * The address of a buffer's bytes, for structures that point to it. The caller keeps `bytes` referenced for as
 * long as native code may follow the pointer.
 */
export function addressOf(bytes: Uint8Array): bigint {
  return loadKoffi().address(bytes);
}

/** Calls back whenever the descriptor is readable. For many descriptors there is `watchDescriptor`. */
export function pollReadable(fd: number, onReadable: () => void): PollHandle {
  return loadKoffi().node.poll(fd, { readable: true }, onReadable);
}

function cLibrary(): Library {
  // The main program: its global symbols include the C library's, whichever one (glibc, musl) node was built for.
  library ??= loadKoffi().load(null);
  return library;
}

function loadKoffi(): Koffi {
  if (koffi !== undefined) return koffi;
  if (process.platform !== 'linux') {
    throw facilityUnavailable(`Linux system calls are not available on ${process.platform}`);
  }
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    throw facilityUnavailable('the native call library koffi cannot be loaded', error);
  }
  return koffi;
}
