/** Where this machine's user takes packages of npm from. */
import { EngineError } from '../shared/errors.ts';
import { run } from '../sys/exec/run.ts';

const TIMEOUT_MS = 30_000;

/**
 * The registry that npm is configured with: its files, its variables, else its own default. A URL without a slash at
 * its end. Rejects with `unavailable` when npm does not tell one.
 */
export async function configuredNpmRegistry(): Promise<string> {
  const command = { file: 'npm', args: ['config', 'get', 'registry'] };
  const { exitCode, stdout } = await run(command, { timeoutMs: TIMEOUT_MS }).catch((cause) => {
    throw noRegistry(cause);
  });
  const url = stdout.trim();
  if (exitCode !== 0 || !URL.canParse(url)) throw noRegistry();
  return url.replace(/\/+$/, '');
}

const noRegistry = (cause?: unknown) =>
  new EngineError('unavailable', 'npm does not tell its registry; name one with --npm-registry', {
    cause,
  });
