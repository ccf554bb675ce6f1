/** What a client asks of a Dockerfile instead of building it: `docker build --check`, `--call`. */

import type { BuildWarning } from '../../../dockerfile/source-place.ts';
import { messageOf } from '../../../shared/errors.ts';
import type { DockerfileSource, Solver } from '../../solver.ts';
import { outlineOf, targetsOf } from './describe-dockerfile.ts';
import type { FrontendAnswer } from './dockerfile-frontend.ts';
import { unsupportedRequest } from './frontend-errors.ts';
import { checkOf, type FrontendOptions, withPrefix } from './frontend-options.ts';

export interface Subrequest {
  /** `frontend.lint` and the like. */
  readonly name: string;
  readonly dockerfile: DockerfileSource;
  /** Fetches it. */
  dockerignore(): Promise<string>;
  readonly options: FrontendOptions;
}

/** The version of the answers' form. */
const VERSION = '1.0.0';

/** Answers with metadata alone. `not-implemented` for requests that are not known. */
export async function answerSubrequest(
  solver: Solver,
  request: Subrequest,
): Promise<FrontendAnswer> {
  switch (request.name) {
    case 'frontend.subrequests.describe':
      return describe();
    case 'frontend.lint':
      return await lint(solver, request);
    case 'frontend.targets':
      return targets(request.dockerfile);
    case 'frontend.outline':
      return outline(request);
    default:
      throw unsupportedRequest(request.name);
  }
}

function answer(fields: Readonly<Record<string, string>>): FrontendAnswer {
  const entries = Object.entries({ ...fields, version: VERSION });
  const metadata = new Map(entries.map(([name, text]) => [name, Buffer.from(text)]));
  return { refs: [], isList: false, metadata };
}

const REQUESTS = [
  { name: 'frontend.lint', description: 'Lint a Dockerfile' },
  { name: 'frontend.outline', description: 'List all parameters current build target supports' },
  { name: 'frontend.targets', description: 'List all targets current build supports' },
  {
    name: 'frontend.subrequests.describe',
    description: 'List available subrequest types',
  },
] as const;

function describe(): FrontendAnswer {
  const described = REQUESTS.map(({ name, description }) => ({
    ...{ Name: name, Version: VERSION, Type: 'rpc', Description: description, Opts: [] },
    Metadata: [{ Name: 'result.json' }, { Name: 'result.txt' }],
  }));
  const lines = REQUESTS.map(({ name, description }) => `${name.padEnd(32)}${description}`);
  return answer({
    'result.json': JSON.stringify(described),
    'result.txt': `${['NAME'.padEnd(32).concat('DESCRIPTION'), ...lines].join('\n')}\n`,
  });
}

/** Texts are for people: clients lay the JSON out themselves. */
function targets({ text }: DockerfileSource): FrontendAnswer {
  const list = targetsOf(text);
  const sources = [Buffer.from(text).toString('base64')];
  return answer({
    'result.json': JSON.stringify({ targets: list, sources }, undefined, 2),
    'result.txt': list
      .map(({ name = '(default)', description = '' }) => `${name} ${description}\n`)
      .join(''),
  });
}

function outline({ dockerfile, options }: Subrequest): FrontendAnswer {
  const found = outlineOf(dockerfile.text, {
    target: options.get('target') || undefined,
    buildArgs: withPrefix(options, 'build-arg:'),
  });
  const sources = [Buffer.from(dockerfile.text).toString('base64')];
  return answer({
    'result.json': JSON.stringify({ ...found, sources }, undefined, 2),
    'result.txt': found.args.map(({ name, value = '' }) => `${name} ${value}\n`).join(''),
  });
}

async function lint(solver: Solver, request: Subrequest): Promise<FrontendAnswer> {
  const { dockerfile } = request;
  const { warnings, problem } = warningsOf(solver, request, await request.dockerignore());
  const source = {
    filename: dockerfile.name,
    language: 'Dockerfile',
    data: Buffer.from(dockerfile.text).toString('base64'),
  };
  const document = {
    warnings: warnings.map(toJson),
    sources: [source],
    ...(problem === undefined ? {} : { buildError: { message: problem, location: {} } }),
  };
  const isClean = warnings.length === 0 && problem === undefined;
  return answer({
    'result.json': JSON.stringify(document, undefined, 2),
    'result.txt': warnings.map(toText).join(''),
    'result.statuscode': isClean ? '0' : '1',
  });
}

function warningsOf(solver: Solver, { dockerfile, options }: Subrequest, dockerignore: string) {
  try {
    const found = solver.lint({ dockerfile, dockerignore, check: checkOf(options) });
    const warnings = found.toSorted((one, other) => one.range.startLine - other.range.startLine);
    return { warnings, problem: undefined };
  } catch (error) {
    return { warnings: [], problem: messageOf(error) };
  }
}

function toJson({ rule, description, url, detail, range }: BuildWarning): object {
  const { startLine, endLine } = range;
  return {
    ...{ ruleName: rule, description, url, detail },
    location: { ranges: [{ start: { line: startLine }, end: { line: endLine } }] },
  };
}

/** Clients of this form's version print the lines of the Dockerfile themselves. */
function toText({ rule, url, detail }: BuildWarning): string {
  return `\nWARNING: ${rule}${url === '' ? '' : ` - ${url}`}\n${detail}\n`;
}
