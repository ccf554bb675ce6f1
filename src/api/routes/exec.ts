/** Routes of exec sessions. */
import { decodeConsoleSize, decodeExecCreate, decodeExecStart } from '../../wire/request-bodies.ts';
import { noExecCommand } from '../../wire/wire-errors.ts';
import { type Handler, pathParam } from '../context.ts';
import { toExecInspect } from '../mappers/exec.ts';
import { parseJsonBody, readJson } from '../request-body.ts';
import { answer, type Handlers, takeover } from '../route-table.ts';
import type { TakeoverHandler } from '../takeover.ts';
import { queryTerminalSize } from './container-stdio.ts';

const create: Handler = async (c, { backends }) => {
  const body = decodeExecCreate(await readJson(c));
  if (body.Cmd.length === 0) throw noExecCommand();
  const { id } = await backends.exec.create(pathParam(c, 'id'), {
    args: body.Cmd,
    env: body.Env,
    workingDir: body.WorkingDir || undefined,
    user: body.User || undefined,
    privileged: body.Privileged,
    tty: body.Tty,
    attachStdin: body.AttachStdin,
    attachStdout: body.AttachStdout,
    attachStderr: body.AttachStderr,
    detachKeys: body.DetachKeys || undefined,
    consoleSize: decodeConsoleSize(body.ConsoleSize),
  });
  return c.json({ Id: id }, 201);
};

const start: TakeoverHandler = async (request, { backends }) => {
  const id = request.params['id'] ?? '';
  const raw =
    request.body === '' ? {} : parseJsonBody(request.body, request.headers['content-type']);
  const body = decodeExecStart(raw);
  const consoleSize = decodeConsoleSize(body.ConsoleSize);
  if (body.Detach) {
    await backends.exec.startDetached(id);
    return { kind: 'empty', status: 200 };
  }
  backends.exec.checkStart(id);
  return {
    kind: 'stream',
    // As dockerd does: output is framed as this body says, whether or not the session has a terminal.
    tty: body.Tty,
    standardHeaders: true,
    open: () => backends.exec.start(id, { consoleSize }, request.signal),
  };
};

const resize: Handler = async (c, { backends }) => {
  await backends.exec.resize(pathParam(c, 'id'), queryTerminalSize(c));
  return c.body(null, 200);
};

const inspect: Handler = async (c, { backends }) =>
  c.json(toExecInspect(await backends.exec.inspect(pathParam(c, 'id'))));

export const execHandlers: Handlers = {
  'POST /containers/{id}/exec': answer(create),
  'POST /exec/{id}/start': takeover(start),
  'POST /exec/{id}/resize': answer(resize),
  'GET /exec/{id}/json': answer(inspect),
};
