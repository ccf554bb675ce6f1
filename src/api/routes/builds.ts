/** Routes of builds. */
import { decodeBuildQuery, decodeSessionBuildQuery } from '../../wire/build-query.ts';
import { decodeRegistryConfig } from '../../wire/registry-auth.ts';
import { buildIdExpected, squashNeedsExperimental } from '../api-errors.ts';
import { type Handler, queryFlag, queryText } from '../context.ts';
import { bodyChunks } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { startedStream, streamJsonLines } from '../streaming.ts';

const build: Handler = async (c, deps) => {
  if (queryText(c, 'version') === '2') return sessionBuild(c, deps);
  if (queryFlag(c, 'squash')) throw squashNeedsExperimental();
  const request = {
    ...decodeBuildQuery(new URL(c.req.url).searchParams),
    credentials: decodeRegistryConfig(c.req.header('x-registry-config')),
  };
  const { signal } = c.req.raw;
  const messages = await deps.backends.builds.build(request, bodyChunks(c), signal);
  return streamJsonLines(c, deps, await startedStream(messages));
};

/** What the id of a request begins with that only brings a build's archive. */
const UPLOAD = 'upload-request:';

const sessionBuild: Handler = async (c, deps) => {
  const { ordered } = deps.backends.buildClients;
  const { signal } = c.req.raw;
  const id = queryText(c, 'buildid') ?? '';
  if (id.startsWith(UPLOAD)) {
    await ordered.upload(id.slice(UPLOAD.length), bodyChunks(c), signal);
    return c.body(null, 200);
  }
  const query = () => decodeSessionBuildQuery(new URL(c.req.url).searchParams);
  const order = { session: queryText(c, 'session') ?? '', query, body: bodyChunks(c) };
  const messages = ordered.build(order, signal);
  return streamJsonLines(c, deps, await startedStream(messages));
};

/** A build that is not there has ended: nothing to do. */
const cancel: Handler = (c, { backends }) => {
  const id = queryText(c, 'id') ?? '';
  if (id === '') throw buildIdExpected();
  backends.buildClients.ordered.cancel(id);
  return c.body(null, 200);
};

export const buildHandlers: Handlers = {
  'POST /build': answer(build),
  'POST /build/cancel': answer(cancel),
};
