/** Ranges of user or group ids: pure arithmetic. */

/** Ids `start` to `start + count - 1`. */
export interface IdRange {
  readonly start: number;
  readonly count: number;
}

/** The parts of `ranges` that lie in `within`, in the order of `ranges`. */
export function intersectRanges(
  ranges: readonly IdRange[],
  within: readonly IdRange[],
): readonly IdRange[] {
  return ranges.flatMap((range) =>
    within.flatMap((limit) => {
      const start = Math.max(range.start, limit.start);
      const end = Math.min(range.start + range.count, limit.start + limit.count);
      return end > start ? [{ start, count: end - start }] : [];
    }),
  );
}

/** What is left of `ranges` without `taken`. */
export function subtractRanges(
  ranges: readonly IdRange[],
  taken: readonly IdRange[],
): readonly IdRange[] {
  return taken.reduce<readonly IdRange[]>(
    (left, hole) => left.flatMap((range) => subtractOne(range, hole)),
    ranges,
  );
}

function subtractOne(range: IdRange, hole: IdRange): readonly IdRange[] {
  const rangeEnd = range.start + range.count;
  const before = { start: range.start, count: Math.min(hole.start, rangeEnd) - range.start };
  const afterStart = Math.max(hole.start + hole.count, range.start);
  const after = { start: afterStart, count: rangeEnd - afterStart };
  return [before, after].filter(({ count }) => count > 0);
}
