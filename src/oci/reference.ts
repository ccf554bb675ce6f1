/** Image references, `[host/]path[:tag][@digest]`, with Docker's defaults (docker.io, library/, latest). */
import { type Digest, parseDigest } from './digest.ts';

/** A reference in full: the registry host and the whole path are always there. */
export interface ImageReference {
  /** Registry as named in references: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Repository within the registry: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

/** The outcome of parsing; `problem` is Docker's own text. */
export type ParsedReference =
  | { readonly ok: true; readonly reference: ImageReference }
  | { readonly ok: false; readonly problem: string };

/** Registry of references that name none. */
export const DEFAULT_DOMAIN = 'docker.io';
/** Tag of references that have neither tag nor digest. */
export const DEFAULT_TAG = 'latest';

const LEGACY_DEFAULT_DOMAIN = 'index.docker.io';
const OFFICIAL_PREFIX = 'library/';
const MAX_NAME_LENGTH = 255;

const DOMAIN_LABEL = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const DOMAIN = new RegExp(
  `^(?:${DOMAIN_LABEL}(?:\\.${DOMAIN_LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`,
);
const PATH_COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const PATH = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const TAG = /^\w[\w.-]{0,127}$/;
const FULL_HEX = /^[0-9a-f]{64}$/;

const INVALID_FORMAT = 'invalid reference format';

/**
 * Parses what a user typed. `busybox` becomes docker.io/library/busybox without a tag: `withDefaultTag` adds
 * it. Names of 64 hexadecimal digits are refused, as they would read as image ids.
 */
export function parseReference(text: string): ParsedReference {
  if (FULL_HEX.test(text)) {
    return failed(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const { name, tag, digest } = splitReference(text);
  const { domain, path } = splitDomain(name);
  const problem = nameProblem(domain, path);
  if (problem !== undefined) return failed(problem);
  if (tag !== undefined && !TAG.test(tag)) return failed(INVALID_FORMAT);
  const parsedDigest = digest === undefined ? undefined : parseDigest(digest);
  if (digest !== undefined && parsedDigest === undefined) {
    return failed(digestProblem(digest));
  }
  return {
    ok: true,
    reference: {
      domain,
      path,
      ...(tag === undefined ? {} : { tag }),
      ...(parsedDigest === undefined ? {} : { digest: parsedDigest }),
    },
  };
}

/** The reference with `latest` when it has neither tag nor digest. */
export function withDefaultTag(reference: ImageReference): ImageReference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference;
  return { ...reference, tag: DEFAULT_TAG };
}

/** `docker.io/library/busybox`: the repository in full, without tag and digest. */
export function repositoryName(reference: ImageReference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The whole reference in full: `docker.io/library/busybox:latest`. */
export function canonicalReference(reference: ImageReference): string {
  return repositoryName(reference) + suffixOf(reference);
}

/** The repository as Docker shows it: `busybox`, `user/app`, `localhost:5000/app`. */
export function familiarName(reference: ImageReference): string {
  if (reference.domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  return isOfficial(reference) ? reference.path.slice(OFFICIAL_PREFIX.length) : reference.path;
}

/** The reference as Docker shows it: `busybox:latest`. */
export function familiarReference(reference: ImageReference): string {
  return familiarName(reference) + suffixOf(reference);
}

function isOfficial(reference: ImageReference): boolean {
  return (
    reference.path.startsWith(OFFICIAL_PREFIX) &&
    !reference.path.slice(OFFICIAL_PREFIX.length).includes('/')
  );
}

function suffixOf(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return reference.digest === undefined ? tag : `${tag}@${reference.digest}`;
}

function splitReference(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const beforeDigest = at < 0 ? text : text.slice(0, at);
  const colon = beforeDigest.lastIndexOf(':');
  // A colon before the last slash belongs to a port.
  const hasTag = colon > beforeDigest.lastIndexOf('/');
  return {
    name: hasTag ? beforeDigest.slice(0, colon) : beforeDigest,
    ...(hasTag ? { tag: beforeDigest.slice(colon + 1) } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase();
  const named = isDomain ? first : DEFAULT_DOMAIN;
  const domain = named === LEGACY_DEFAULT_DOMAIN ? DEFAULT_DOMAIN : named;
  const rest = isDomain ? name.slice(slash + 1) : name;
  const official = domain === DEFAULT_DOMAIN && !rest.includes('/');
  return { domain, path: official ? OFFICIAL_PREFIX + rest : rest };
}

function nameProblem(domain: string, path: string): string | undefined {
  if (path !== path.toLowerCase()) {
    return `${INVALID_FORMAT}: repository name (${path}) must be lowercase`;
  }
  if (!DOMAIN.test(domain) || !PATH.test(path)) return INVALID_FORMAT;
  if (path.length > MAX_NAME_LENGTH) {
    return `repository name must not be more than ${MAX_NAME_LENGTH} characters`;
  }
  return undefined;
}

function digestProblem(digest: string): string {
  const algorithm = digest.slice(0, Math.max(0, digest.indexOf(':')));
  if (algorithm === '' || algorithm === 'sha256') return INVALID_FORMAT;
  return `unsupported digest algorithm ${algorithm}`;
}

function failed(problem: string): ParsedReference {
  return { ok: false, problem };
}
