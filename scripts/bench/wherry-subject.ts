/** wherry itself, built, in a throw-away home. */
import { startDaemon } from '../../test/support/daemon.ts';
import { DockerClient } from '../../test/support/docker-client.ts';
import { BUSYBOX } from '../../test/support/images.ts';
import { makeTestHome } from '../../test/support/test-home.ts';
import { processIdsOf, userNamespaceOf } from '../../test/support/traces.ts';
import type { Subject } from './subject.ts';

/** The suite whose client builds: the newest that does not change by the week. */
const BUILD_CLIENT = 'trixie';

/**
 * Starts a daemon. The cold start is that of a home that has been used before: the first start of all also
 * loads the embedded image.
 */
export async function startWherry(): Promise<Subject> {
  const home = await makeTestHome();
  await (await startDaemon({ home }))[Symbol.asyncDispose]();
  const started = performance.now();
  const daemon = await startDaemon({ home });
  const coldStartMs = performance.now() - started;
  const namespace = await userNamespaceOf((await daemon.status()).anchor?.pid ?? 0);
  return {
    name: 'wherry',
    cli: ['docker'],
    builder: { argv: ['docker', 'build', '-q'], env: new DockerClient(daemon, BUILD_CLIENT).env },
    pull: ['pull', '-q'],
    socketPath: daemon.socketPath,
    image: BUSYBOX,
    env: daemon.env,
    coldStartMs,
    processIds: () => processIdsOf(home, namespace),
    async [Symbol.asyncDispose]() {
      await daemon[Symbol.asyncDispose]();
      await home[Symbol.asyncDispose]();
    },
  };
}
