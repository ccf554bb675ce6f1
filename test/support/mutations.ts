/** Random damage to inputs, the same in each run: a failure names the seed that shows it again. */

/** Numbers in [0, 1) from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number below `limit`. */
export function below(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of `choices`. */
export function oneOf<T>(random: () => number, choices: readonly T[]): T {
  const chosen = choices[below(random, choices.length)];
  if (chosen === undefined) throw new Error('nothing to choose from');
  return chosen;
}

/** The bytes with some of them flipped, cut out, doubled, or replaced by extreme ones. */
export function damaged(bytes: Buffer, random: () => number): Buffer {
  let result = Buffer.from(bytes);
  for (let times = 1 + below(random, 4); times > 0; times--) {
    const at = below(random, result.length);
    const end = Math.min(result.length, at + 1 + below(random, 600));
    const how = below(random, 5);
    if (how === 0) result[at] = below(random, 256);
    else if (how === 1) result = Buffer.concat([result.subarray(0, at), result.subarray(end)]);
    else if (how === 2) result = Buffer.concat([result.subarray(0, end), result.subarray(at)]);
    else if (how === 3) result.fill(oneOf(random, [0, 0x37, 0x80, 0xff]), at, end);
    else result.write(oneOf(random, EXTREMES), at, 'latin1');
    if (result.length === 0) return Buffer.alloc(1);
  }
  return result;
}

const EXTREMES = [
  '77777777777',
  '-1',
  '\u0080\u0000\u0000\u0001',
  '99999999999 path=',
  '../',
  '\0',
];

/** The JSON value with some part of it gone or of another kind. */
export function damagedJson(value: unknown, random: () => number): unknown {
  if (below(random, 6) === 0) return oneOf(random, ODD_VALUES);
  if (Array.isArray(value)) return value.map((element) => maybeDamaged(element, random));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => below(random, 12) > 0)
      .map(([key, element]) => [key, maybeDamaged(element, random)]),
  );
}

const ODD_VALUES: readonly unknown[] = [
  ...[null, true, -1, 1e308, 0.5, '', 'sha256:', '\u0000', '../../etc/passwd', [], {}, [[]]],
  { __proto__: 1 },
  'x'.repeat(5000),
];

function maybeDamaged(value: unknown, random: () => number): unknown {
  return below(random, 3) === 0 ? damagedJson(value, random) : value;
}
