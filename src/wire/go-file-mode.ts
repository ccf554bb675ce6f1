/** File modes as Go has them (`os.FileMode`), which Docker's headers carry. */

const S_IFMT = 0o170000;

/** Kernel's file type to Go's type bits. */
const TYPE_BITS: ReadonlyMap<number, number> = new Map([
  [0o040000, 2 ** 31],
  [0o120000, 2 ** 27],
  [0o060000, 2 ** 26],
  [0o020000, 2 ** 26 + 2 ** 21],
  [0o010000, 2 ** 25],
  [0o140000, 2 ** 24],
]);

const SET_UID = 0o4000;
const SET_GID = 0o2000;
const STICKY = 0o1000;

/** From the kernel's `st_mode`. The result needs 32 bits without sign. */
export function goFileMode(mode: number): number {
  let result = (mode & 0o777) + (TYPE_BITS.get(mode & S_IFMT) ?? 0);
  if ((mode & SET_UID) !== 0) result += 2 ** 23;
  if ((mode & SET_GID) !== 0) result += 2 ** 22;
  if ((mode & STICKY) !== 0) result += 2 ** 20;
  return result;
}
