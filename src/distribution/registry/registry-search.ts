/** Searching an index of images (`/v1/search`), which few registries besides Docker's have. */
import * as v from 'valibot';
import { DEFAULT_DOMAIN } from '../../oci/reference.ts';
import type { SearchResult } from '../image-registry.ts';
import { type EndpointSettings, isInsecure } from './endpoints.ts';
import { type HttpTransport, readBody } from './http-transport.ts';
import {
  failureOf,
  isUnreachable,
  malformedSearchAnswer,
  noSearchIndex,
} from './registry-errors.ts';

/** The index of docker.io answers under a name of its own. */
const DEFAULT_INDEX = 'index.docker.io';
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

const AnswerSchema = v.object({
  results: v.nullish(
    v.array(
      v.object({
        name: v.string(),
        description: v.nullish(v.string(), ''),
        star_count: v.nullish(v.number(), 0),
        is_official: v.nullish(v.boolean(), false),
        is_automated: v.nullish(v.boolean(), false),
      }),
    ),
    [],
  ),
});

export interface SearchQuery {
  /** Registry to ask. */
  readonly domain: string;
  readonly term: string;
  readonly limit: number;
}

/** What the index finds. `not-implemented` when the registry has none, `internal` when it cannot be reached. */
export async function searchIndex(
  transport: HttpTransport,
  query: SearchQuery,
  how: { readonly settings: EndpointSettings; readonly signal: AbortSignal },
): Promise<readonly SearchResult[]> {
  const bounded = AbortSignal.any([how.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let failure: unknown;
  for (const url of urlsOf(query, how.settings)) {
    try {
      const headers = { accept: 'application/json' };
      const response = await transport.send({ url, method: 'GET', headers, signal: bounded });
      const body = (await readBody(response, 'search result', MAX_ANSWER_BYTES)).toString('utf8');
      if (response.status === 404) throw noSearchIndex(url);
      if (response.status !== 200) throw failureOf(response.status, body);
      return parseAnswer(body);
    } catch (error) {
      failure = error;
      if (!isUnreachable(error)) break;
    }
  }
  throw failure;
}

function urlsOf(query: SearchQuery, settings: EndpointSettings): readonly URL[] {
  const host = query.domain === DEFAULT_DOMAIN ? DEFAULT_INDEX : query.domain;
  const parameters = new URLSearchParams({ q: query.term, n: String(query.limit) }).toString();
  const secure = new URL(`https://${host}/v1/search?${parameters}`);
  if (!isInsecure(secure, settings)) return [secure];
  return [secure, new URL(`http://${host}/v1/search?${parameters}`)];
}

function parseAnswer(body: string): readonly SearchResult[] {
  let answer: v.InferOutput<typeof AnswerSchema>;
  try {
    answer = v.parse(AnswerSchema, JSON.parse(body));
  } catch (error) {
    throw malformedSearchAnswer(error);
  }
  return (answer.results ?? []).map((result) => ({
    name: result.name,
    description: result.description ?? '',
    starCount: result.star_count ?? 0,
    isOfficial: result.is_official ?? false,
    isAutomated: result.is_automated ?? false,
  }));
}
