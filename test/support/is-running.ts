/** Looks for programs of the whole machine. */
import { readdirSync, readFileSync } from 'node:fs';

/** True while some process of the machine has `word` among its arguments. */
export function isRunning(word: string): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word);
      } catch {
        return false;
      }
    });
}
