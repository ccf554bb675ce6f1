/** Routes of containers' input and output: attach, logs, resize. */

import type { TerminalSize } from '../../runtime/task-runner.ts';
import { isAtLeast } from '../../wire/api-version.ts';
import { decodeBoolean, decodeTail, decodeTimestamp } from '../../wire/query.ts';
import { invalidResize, noLogStream } from '../../wire/wire-errors.ts';
import { type ApiContext, type ApiDeps, type Handler, pathParam, queryFlag } from '../context.ts';
import { LogEncoder } from '../log-encoding.ts';
import { streamMediaType } from '../media-types.ts';
import { answer, type Handlers, takeover, websocket } from '../route-table.ts';
import { mapAsync, streamResponse } from '../streaming.ts';
import type { Takeover, TakeoverHandler, TakeoverRequest } from '../takeover.ts';

const attach: TakeoverHandler = (request, deps) =>
  openAttach(request, deps, (name) => queryBoolean(request, name));

/** Before version 1.42 a WebSocket always carried all three streams. */
const attachWebSocket: TakeoverHandler = (request, deps) => {
  const isChosen = isAtLeast(request.version, '1.42');
  return openAttach(request, deps, (name) => !isChosen || queryBoolean(request, name));
};

const queryBoolean = ({ query }: TakeoverRequest, name: string) =>
  decodeBoolean(query.get(name) ?? undefined);

async function openAttach(
  request: TakeoverRequest,
  { backends }: ApiDeps,
  wants: (stream: 'stdin' | 'stdout' | 'stderr') => boolean,
): Promise<Takeover> {
  const session = await backends.containers.attach(
    request.params['id'] ?? '',
    {
      stdin: wants('stdin'),
      stdout: wants('stdout'),
      stderr: wants('stderr'),
      logs: queryBoolean(request, 'logs'),
      stream: queryBoolean(request, 'stream'),
      detachKeys: request.query.get('detachKeys') || undefined,
    },
    request.signal,
  );
  return {
    kind: 'stream',
    tty: session.tty,
    standardHeaders: false,
    open: () => Promise.resolve(session),
  };
}

const logs: Handler = async (c, deps) => {
  const stdout = queryFlag(c, 'stdout');
  const stderr = queryFlag(c, 'stderr');
  if (!stdout && !stderr) throw noLogStream();
  const { tty, entries, attributes } = await deps.backends.containers.logs(
    pathParam(c, 'id'),
    {
      follow: queryFlag(c, 'follow'),
      stdout,
      stderr,
      sinceSeconds: decodeTimestamp('since', c.req.query('since')),
      untilSeconds: decodeTimestamp('until', c.req.query('until')),
      tailLines: decodeTail(c.req.query('tail')),
    },
    c.req.raw.signal,
  );
  const encoder = new LogEncoder({
    framed: !tty,
    timestamps: queryFlag(c, 'timestamps'),
    ...(queryFlag(c, 'details') ? { details: attributes } : {}),
  });
  return streamResponse(c, deps, {
    contentType: streamMediaType(tty, c.get('version')),
    chunks: mapAsync(entries, (batch) => encoder.encode(batch)),
    onFailure: 'broken-connection',
  });
};

/** `h` and `w` of a resize; both are required. */
export function queryTerminalSize(c: ApiContext): TerminalSize {
  return { rows: cells('height', c.req.query('h')), columns: cells('width', c.req.query('w')) };
}

/** As an unsigned number of 32 bits. */
function cells(what: string, text = ''): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalidResize(what, text, 'invalid syntax');
  const value = Number(text);
  if (value < 0 || value > 0xffff_ffff) throw invalidResize(what, text, 'value out of range');
  return value;
}

const resize: Handler = async (c, { backends }) => {
  await backends.containers.resize(pathParam(c, 'id'), queryTerminalSize(c));
  return c.body(null, 200);
};

export const containerStdioHandlers: Handlers = {
  'POST /containers/{id}/attach': takeover(attach),
  'GET /containers/{id}/attach/ws': websocket(attachWebSocket),
  'GET /containers/{id}/logs': answer(logs),
  'POST /containers/{id}/resize': answer(resize),
};
