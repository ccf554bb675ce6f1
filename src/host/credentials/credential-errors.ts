/** What can go wrong with the credentials that the user has laid down for registries. No message carries a secret. */
import { EngineError, messageOf } from '../../shared/errors.ts';

/** The configuration names a helper that cannot be a program's name. */
export function badHelperName(name: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `docker's config.json names the credential helper ${JSON.stringify(name)}, which is no program's name`,
  );
}

/** The helper is not installed, hangs, or is killed. */
export function helperUnusable(program: string, cause: unknown): EngineError {
  return new EngineError('unavailable', `${program} gives no credentials: ${messageOf(cause)}`, {
    cause,
  });
}

/** The helper says why it has none; `reason` is what it printed. */
export function helperFailed(program: string, reason: string): EngineError {
  const why = reason === '' ? 'it failed without a word' : reason;
  return new EngineError('unavailable', `${program} gives no credentials: ${why}`);
}

/** What the helper printed is not what its protocol says. */
export function helperAnswerMalformed(program: string): EngineError {
  return new EngineError('corrupt', `${program} gives no credentials: its answer is malformed`);
}

/** An entry of `auths` that cannot be understood. */
export function badStoredEntry(domain: string): EngineError {
  return new EngineError(
    'invalid-argument',
    `docker's config.json has an entry for ${domain} that cannot be understood`,
  );
}
