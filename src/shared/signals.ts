/** Linux signal names and numbers, as `docker kill --signal` and `STOPSIGNAL` spell them. */

/** x86 and arm64 numbering (signal(7)); the aliases of one number follow its usual name. */
const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    TRAP: 5,
    ABRT: 6,
    IOT: 6,
    BUS: 7,
    FPE: 8,
    KILL: 9,
    USR1: 10,
    SEGV: 11,
    USR2: 12,
    PIPE: 13,
    ALRM: 14,
    TERM: 15,
    STKFLT: 16,
    CHLD: 17,
    CLD: 17,
    CONT: 18,
    STOP: 19,
    TSTP: 20,
    TTIN: 21,
    TTOU: 22,
    URG: 23,
    XCPU: 24,
    XFSZ: 25,
    VTALRM: 26,
    PROF: 27,
    WINCH: 28,
    IO: 29,
    POLL: 29,
    PWR: 30,
    SYS: 31,
  }),
);

export const SIGKILL = 9;

/** The real-time range that the C library leaves to programs. */
const RTMIN = 34;
const RTMAX = 64;

const REAL_TIME = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/;

/**
 * The number of `KILL`, `SIGKILL`, `sigkill`, `9`, `RTMIN+3` or `RTMAX-1`; undefined for anything else.
 * 0 is no signal here: Docker refuses it.
 */
export function parseSignal(text: string): number | undefined {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    return number >= 1 && number <= RTMAX ? number : undefined;
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  return NUMBERS.get(name) ?? parseRealTime(name);
}

function parseRealTime(name: string): number | undefined {
  const match = REAL_TIME.exec(name);
  if (match === null) return undefined;
  const [, base, sign, digits] = match;
  const offset = Number(digits ?? 0) * (sign === '-' ? -1 : 1);
  const number = (base === 'MIN' ? RTMIN : RTMAX) + offset;
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
