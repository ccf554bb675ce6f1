/** Routes of the files of containers: `docker cp`, `export`, `diff`, `commit`. */
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { decodeCommitConfig } from '../../wire/request-bodies.ts';
import { missingParameter } from '../../wire/wire-errors.ts';
import { type ApiContext, type Handler, pathParam, queryFlag, queryText } from '../context.ts';
import { encodePathStat } from '../mappers/path-stat.ts';
import { bodyChunks, readOptionalJson } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { startedStream, streamResponse } from '../streaming.ts';

const STAT_HEADER = 'X-Docker-Container-Path-Stat';

function requiredPath(c: ApiContext): string {
  const path = c.req.query('path') ?? '';
  if (path === '') throw missingParameter('path');
  return path;
}

const head: Handler = async (c, { backends }) => {
  const stat = await backends.containerFiles.stat(pathParam(c, 'id'), requiredPath(c));
  c.header(STAT_HEADER, encodePathStat(stat));
  return c.body(null, 200);
};

function wantsGzip(c: ApiContext): boolean {
  const accepted = (c.req.header('accept-encoding') ?? '').split(',').map((part) => part.trim());
  return accepted.some((part) => /^gzip\s*(?:;\s*q=(?!0(?:\.0*)?$)|$)/.test(part));
}

/** Ends when the source does; leaving it leaves the source. */
function gzipped(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return Readable.from(source, { objectMode: false }).compose(createGzip());
}

const get: Handler = async (c, deps) => {
  const request = { ref: pathParam(c, 'id'), path: requiredPath(c) };
  const files = deps.backends.containerFiles;
  const { stat, tar } = await files.archive(request.ref, request.path, c.req.raw.signal);
  const chunks = await startedStream(tar);
  c.header(STAT_HEADER, encodePathStat(stat));
  if (wantsGzip(c)) c.header('Content-Encoding', 'gzip');
  return streamResponse(c, deps, {
    contentType: 'application/x-tar',
    chunks: wantsGzip(c) ? gzipped(chunks) : chunks,
    onFailure: 'broken-connection',
  });
};

const put: Handler = async (c, { backends }) => {
  const request = {
    ref: pathParam(c, 'id'),
    path: requiredPath(c),
    noOverwriteDirNonDir: queryFlag(c, 'noOverwriteDirNonDir'),
    copyUidGid: queryFlag(c, 'copyUIDGID'),
  };
  await backends.containerFiles.extract(request, bodyChunks(c));
  return c.body(null, 200);
};

const exportRoot: Handler = async (c, deps) => {
  const tar = await deps.backends.containerFiles.export(pathParam(c, 'id'), c.req.raw.signal);
  return streamResponse(c, deps, {
    contentType: 'application/octet-stream',
    chunks: await startedStream(tar),
    onFailure: 'broken-connection',
  });
};

/** `Kind` of the reference. */
const CHANGE_KINDS = { modified: 0, added: 1, deleted: 2 } as const;

const changes: Handler = async (c, { backends }) => {
  const found = await backends.containerFiles.changes(pathParam(c, 'id'));
  return c.json(found.map(({ kind, path }) => ({ Path: path, Kind: CHANGE_KINDS[kind] })));
};

const commit: Handler = async (c, { backends }) => {
  const config = decodeCommitConfig(await readOptionalJson(c));
  const ref = queryText(c, 'container');
  if (ref === undefined) throw missingParameter('container');
  const repository = queryText(c, 'repo');
  const id = await backends.containerFiles.commit({
    ref,
    target: repository === undefined ? undefined : { repository, tag: queryText(c, 'tag') },
    comment: c.req.query('comment') ?? '',
    author: c.req.query('author') ?? '',
    pause: queryText(c, 'pause') === undefined || queryFlag(c, 'pause'),
    changes: c.req.queries('changes') ?? [],
    config,
  });
  return c.json({ Id: id }, 201);
};

export const containerFileHandlers: Handlers = {
  'HEAD /containers/{id}/archive': answer(head),
  'GET /containers/{id}/archive': answer(get),
  'PUT /containers/{id}/archive': answer(put),
  'GET /containers/{id}/changes': answer(changes),
  'POST /commit': answer(commit),
  'GET /containers/{id}/export': answer(exportRoot),
};
