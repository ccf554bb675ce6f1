/** Routes of containers' input and output: attach, logs, resize. */

import type { TerminalSize } from '../../runtime/task-runner.ts';
import { decodeBoolean, decodeInteger, decodeTail, decodeTimestamp } from '../../wire/query.ts';
import { invalidNumber, noLogStream } from '../../wire/wire-errors.ts';
import { type ApiContext, type Handler, pathParam, queryFlag } from '../context.ts';
import { LogEncoder } from '../log-encoding.ts';
import { streamMediaType } from '../media-types.ts';
import { answer, type Handlers, takeover } from '../route-table.ts';
import { mapAsync, streamResponse } from '../streaming.ts';
import type { TakeoverHandler } from '../takeover.ts';

const attach: TakeoverHandler = async ({ params, query, signal }, { backends }) => {
  const flag = (name: string) => decodeBoolean(query.get(name) ?? undefined);
  const session = await backends.containers.attach(
    params['id'] ?? '',
    {
      stdin: flag('stdin'),
      stdout: flag('stdout'),
      stderr: flag('stderr'),
      logs: flag('logs'),
      stream: flag('stream'),
      detachKeys: query.get('detachKeys') || undefined,
    },
    signal,
  );
  return {
    kind: 'stream',
    tty: session.tty,
    standardHeaders: false,
    open: () => Promise.resolve(session),
  };
};

const logs: Handler = async (c, deps) => {
  const stdout = queryFlag(c, 'stdout');
  const stderr = queryFlag(c, 'stderr');
  if (!stdout && !stderr) throw noLogStream();
  const { tty, entries } = await deps.backends.containers.logs(
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
    details: queryFlag(c, 'details'),
  });
  return streamResponse(c, deps, {
    contentType: streamMediaType(tty, c.get('version')),
    chunks: mapAsync(entries, (batch) => encoder.encode(batch)),
    onFailure: 'broken-connection',
  });
};

/** `h` and `w` of a resize; both are required. */
export function queryTerminalSize(c: ApiContext): TerminalSize {
  return { rows: cells(c, 'h'), columns: cells(c, 'w') };
}

function cells(c: ApiContext, name: string): number {
  const value = decodeInteger(name, c.req.query(name));
  if (value === undefined || value < 0) throw invalidNumber(name, c.req.query(name) ?? '');
  return value;
}

const resize: Handler = async (c, { backends }) => {
  await backends.containers.resize(pathParam(c, 'id'), queryTerminalSize(c));
  return c.body(null, 200);
};

export const containerStdioHandlers: Handlers = {
  'POST /containers/{id}/attach': takeover(attach),
  'GET /containers/{id}/logs': answer(logs),
  'POST /containers/{id}/resize': answer(resize),
};
