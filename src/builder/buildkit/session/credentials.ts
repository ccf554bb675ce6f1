/** Credentials, secrets and ssh agents of the client. */
import type { RegistryCredentials } from '../../../wire/registry-auth.ts';
import { GRPC_CODE, StatusError } from '../grpc/grpc-errors.ts';
import { CREDENTIALS, GET_SECRET } from '../proto/session.ts';
import type { Session } from './session-registry.ts';

/** Docker's own registry, as clients look it up in their configuration. */
const DOCKER_HUB_HOST = 'registry-1.docker.io';

/** What the client has for a registry; undefined when it has nothing. */
export async function fetchCredentials(
  session: Session,
  host: string,
  signal: AbortSignal,
): Promise<RegistryCredentials | undefined> {
  if (!session.serves(CREDENTIALS.path)) return undefined;
  const asked = host === 'docker.io' ? DOCKER_HUB_HOST : host;
  const { username, secret } = await session.call(CREDENTIALS, { host: asked }, { signal });
  if (secret === '') return undefined;
  const none = { serverAddress: host, identityToken: '', registryToken: '' };
  // Without a user's name the secret is a token that stands in for both.
  return username === ''
    ? { ...none, username: '', password: '', identityToken: secret }
    : { ...none, username, password: secret };
}

/** A secret's bytes; undefined when the client has none of that name. */
export async function fetchSecret(
  session: Session,
  id: string,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  if (!session.serves(GET_SECRET.path)) return undefined;
  try {
    return (await session.call(GET_SECRET, { id }, { signal })).data;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === GRPC_CODE.notFound) return undefined;
    throw error;
  }
}
