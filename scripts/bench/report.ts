/** The table of a run: one row for each measure, one column for each engine, with ratios to ours. */

/** Numbers of one engine or bare tool. */
export interface Column {
  readonly name: string;
  readonly readings: ReadonlyMap<string, number>;
  /** Why sections have no numbers, by their names. */
  readonly failures?: ReadonlyMap<string, string>;
}

/** Lays the columns out as text. A peer's ratio is ours divided by theirs: below 1 we are ahead. */
export function toTable(columns: readonly Column[]): string {
  const [ours, ...peers] = columns;
  const measures = [...new Set(columns.flatMap(({ readings }) => [...readings.keys()]))];
  const rows = measures.map((measure) => {
    const own = ours?.readings.get(measure);
    const cells = peers.map(({ readings }) => peerCell(own, readings.get(measure)));
    return [measure, format(own), ...cells];
  });
  const header = ['', ...columns.map(({ name }) => name)];
  return [layOut([header, ...rows]), ...columns.flatMap(notMeasurable)].join('\n');
}

function notMeasurable({ name, failures = new Map() }: Column): readonly string[] {
  return [...failures].map(
    ([section, reason]) => `${name}: ${section} is not measurable here: ${reason}`,
  );
}

/** The same as data. */
export function toJson(columns: readonly Column[]): string {
  const entries = columns.map(({ name, readings, failures = new Map() }) => [
    name,
    {
      ...Object.fromEntries(readings),
      ...(failures.size === 0 ? {} : { 'not measurable': Object.fromEntries(failures) }),
    },
  ]);
  return JSON.stringify(Object.fromEntries(entries), null, 2);
}

function peerCell(own: number | undefined, theirs: number | undefined): string {
  if (theirs === undefined) return '–';
  const ratio = own === undefined ? '' : ` (${(own / theirs).toFixed(2)}x)`;
  return `${format(theirs)}${ratio}`;
}

function format(value: number | undefined): string {
  return value === undefined ? '–' : value.toFixed(value < 10 ? 2 : 0);
}

function layOut(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}
