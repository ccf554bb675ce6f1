/** Writes `docs/api-coverage.md` from the table of operations; `--check` fails when the page differs. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OPERATIONS } from '../src/api/operations.ts';
import type { Action, Route } from '../src/api/route-table.ts';
import { API_VERSION, MIN_API_VERSION } from '../src/wire/api-version.ts';

const PAGE = join(import.meta.dirname, '..', 'docs', 'api-coverage.md');

/** What a reader of the page learns of each way an operation is served. */
const WORDS: Readonly<Record<Action['kind'], string>> = {
  answer: 'yes',
  takeover: 'yes (raw stream)',
  websocket: 'yes (WebSocket)',
  'not-implemented': 'no (501)',
  'swarm-inactive': 'no (503, as outside of a swarm)',
};

const isServed = ({ action }: Route) => ['answer', 'takeover', 'websocket'].includes(action.kind);

function table(routes: readonly Route[]): string {
  const rows = routes.map(
    ({ method, path, since, action }) =>
      `| \`${method} ${path}\` | ${since} | ${WORDS[action.kind]} |`,
  );
  return ['| operation | since | served |', '|---|---|---|', ...rows].join('\n');
}

/** The page as text. */
export function coveragePage(): string {
  const documented = OPERATIONS.filter((route) => route.undocumented !== true);
  const others = OPERATIONS.filter((route) => route.undocumented === true);
  const served = documented.filter(isServed).length;
  return `# API coverage

Generated from the table of operations by \`npm run docs:api\`: do not edit.

Versions ${MIN_API_VERSION} to ${API_VERSION} of the Docker Engine API are accepted, with or without a version prefix.
${served} of the ${documented.length} operations of ${API_VERSION} are served.

${table(documented)}

Called by clients although the reference leaves them out:

${table(others)}
`;
}

if (process.argv[1] === import.meta.filename) {
  const page = coveragePage();
  if (!process.argv.includes('--check')) await writeFile(PAGE, page);
  else if ((await readFile(PAGE, 'utf8').catch(() => '')) !== page) {
    console.error('docs/api-coverage.md is out of date: run npm run docs:api');
    process.exitCode = 1;
  }
}
