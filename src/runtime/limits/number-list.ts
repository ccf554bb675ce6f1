/** Lists of processors and memory nodes as people and the kernel write them: `0-2,4`. */

const RANGE = /^(\d+)(?:-(\d+))?$/;
/** More numbers than any machine has processors: a range beyond is a mistake, and would take memory. */
const LARGEST = 8191;

/** The numbers of a list, in ascending order, each once. Undefined for what is no list. */
export function parseNumberList(text: string): readonly number[] | undefined {
  const numbers = new Set<number>();
  for (const part of text.trim().split(',')) {
    const [, first = '', last = first] = RANGE.exec(part.trim()) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === '' || from > to || to > LARGEST) return undefined;
    for (let number = from; number <= to; number++) numbers.add(number);
  }
  return [...numbers].toSorted((a, b) => a - b);
}

/** The shortest text of a list in ascending order: `0-2,4`. */
export function formatNumberList(numbers: readonly number[]): string {
  const ranges: [first: number, last: number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join();
}
