/** Routes of builds. */
import { decodeBuildQuery } from '../../wire/build-query.ts';
import { decodeRegistryConfig } from '../../wire/registry-auth.ts';
import { buildKitBuild, squashNeedsExperimental } from '../api-errors.ts';
import { type Handler, queryFlag, queryText } from '../context.ts';
import { bodyChunks } from '../request-body.ts';
import { answer, type Handlers } from '../route-table.ts';
import { startedStream, streamJsonLines } from '../streaming.ts';

const build: Handler = async (c, deps) => {
  if (queryText(c, 'version') === '2') throw buildKitBuild();
  if (queryFlag(c, 'squash')) throw squashNeedsExperimental();
  const request = {
    ...decodeBuildQuery(new URL(c.req.url).searchParams),
    credentials: decodeRegistryConfig(c.req.header('x-registry-config')),
  };
  const { signal } = c.req.raw;
  const messages = await deps.backends.builds.build(request, bodyChunks(c), signal);
  return streamJsonLines(c, deps, await startedStream(messages));
};

export const buildHandlers: Handlers = {
  'POST /build': answer(build),
};
