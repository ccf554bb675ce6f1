/** Programs that keep credentials, by the protocol of docker-credential-helpers: `get`, a server on stdin, JSON on stdout. */
import * as v from 'valibot';
import type { Completed } from '../../sys/exec/command.ts';
import { run } from '../../sys/exec/run.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import {
  badHelperName,
  helperAnswerMalformed,
  helperFailed,
  helperUnusable,
} from './credential-errors.ts';

/** Less than the engine waits for the host. A helper may have to ask the user something. */
const TIMEOUT_MS = 25_000;
const MAX_REASON = 300;

/** What a helper prints when it has nothing for a server, by the protocol's own library. */
const NOT_FOUND = 'credentials not found in native keychain';
/** A user name that says: the secret is an identity token. */
const TOKEN_USER = '<token>';

const answerSchema = v.object({ Username: v.string(), Secret: v.string() });

/**
 * Asks `docker-credential-NAME` for the credentials of `server`; undefined when it has none. `unavailable` or
 * `corrupt`, naming the program, when it cannot be asked or does not answer in order.
 */
export async function askHelper(
  name: string,
  server: string,
  environment: Readonly<Record<string, string>>,
): Promise<RegistryCredentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw badHelperName(name);
  const program = `docker-credential-${name}`;
  const completed = await runHelper(program, server, environment);
  if (completed.exitCode !== 0) {
    const reason = (completed.stdout.trim() || completed.stderr.trim()).slice(0, MAX_REASON);
    if (reason === NOT_FOUND) return undefined;
    throw helperFailed(program, reason);
  }
  const { Username, Secret } = parseAnswer(program, completed.stdout);
  const isToken = Username === TOKEN_USER;
  return {
    username: isToken ? '' : Username,
    password: isToken ? '' : Secret,
    serverAddress: server,
    identityToken: isToken ? Secret : '',
    registryToken: '',
  };
}

async function runHelper(
  program: string,
  server: string,
  env: Readonly<Record<string, string>>,
): Promise<Completed> {
  try {
    const command = { file: program, args: ['get'], env };
    return await run(command, { timeoutMs: TIMEOUT_MS, stdin: server });
  } catch (error) {
    throw helperUnusable(program, error);
  }
}

/** The answer itself is never shown, nor what the parser says of it: it has the secret. */
function parseAnswer(program: string, text: string): v.InferOutput<typeof answerSchema> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), answerSchema), text);
  if (!parsed.success) throw helperAnswerMalformed(program);
  return parsed.output;
}
