/** `--chmod`: octal, or in words as chmod(1) takes them. */
import { EngineError } from '../../shared/errors.ts';

const CLAUSE = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/;
const SHIFTS: Readonly<Record<string, number>> = { u: 6, g: 3, o: 0 };
const BITS: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

/** What a mode becomes. `invalid-argument` for a text that is no mode. */
export function parseChmod(text: string): (mode: number, isDirectory: boolean) => number {
  if (/^[0-7]{1,5}$/.test(text)) {
    const fixed = Number.parseInt(text, 8);
    return () => fixed;
  }
  const clauses = text.split(',').map((clause) => CLAUSE.exec(clause));
  if (clauses.some((clause) => clause === null)) {
    throw new EngineError(
      'invalid-argument',
      `invalid chmod parameter: '${text}'. it should be octal string and between 0 and 07777`,
    );
  }
  return (mode, isDirectory) => {
    let result = mode;
    for (const clause of clauses) {
      const who = (clause?.[1] ?? '').replaceAll('a', 'ugo') || 'ugo';
      for (const [, operator = '', letters = ''] of (clause?.[2] ?? '').matchAll(
        /([-+=])([a-zA-Z]*)/g,
      )) {
        result = apply(result, { who, operator, letters }, isDirectory);
      }
    }
    return result;
  };
}

interface ModeChange {
  readonly who: string;
  readonly operator: string;
  readonly letters: string;
}

function apply(mode: number, change: ModeChange, isDirectory: boolean): number {
  let result = mode;
  const executes = isDirectory || (mode & 0o111) !== 0;
  for (const one of change.who) {
    const mask = maskOf(one, change.letters, executes);
    if (change.operator === '=') result = (result & ~(7 << (SHIFTS[one] ?? 0))) | mask;
    else result = change.operator === '+' ? result | mask : result & ~mask;
  }
  return result;
}

/** The bits that letters mean for one of user, group and others. */
function maskOf(one: string, letters: string, executes: boolean): number {
  let bits = 0;
  for (const letter of letters) bits |= BITS[letter] ?? (letter === 'X' && executes ? 1 : 0);
  let mask = bits << (SHIFTS[one] ?? 0);
  if (letters.includes('s') && one !== 'o') mask |= one === 'u' ? 0o4000 : 0o2000;
  if (letters.includes('t')) mask |= 0o1000;
  return mask;
}
