/**
 * The credentials that the docker client keeps for its user: `config.json` with `auths`, `credsStore` and
 * `credHelpers`. Read anew each time: what `docker login` and `docker logout` change counts at once.
 */
import { join } from 'node:path';
import * as v from 'valibot';
import { kindOf, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import {
  decodeAuthConfig,
  hasCredentials,
  type RegistryCredentials,
} from '../../wire/registry-auth.ts';
import { readDockerConfig } from '../control/docker-context.ts';
import { brokenDockerConfig } from '../host-errors.ts';
import { badStoredEntry } from './credential-errors.ts';
import { askHelper } from './credential-helper.ts';

export interface StoredCredentialsOptions {
  /** The docker client's directory. */
  readonly configDir: string;
  /** The user's whole environment: helpers find keyrings, agents and profiles by it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

const configSchema = v.object({
  auths: v.nullish(v.record(v.string(), v.unknown()), {}),
  credsStore: v.nullish(v.string(), ''),
  credHelpers: v.nullish(v.record(v.string(), v.string()), {}),
});

/** The name that the client keeps Docker Hub's credentials under. */
const HUB_KEY = 'https://index.docker.io/v1/';
const HUB_DOMAIN = 'docker.io';

export class StoredCredentials {
  readonly #options: StoredCredentialsOptions;

  constructor(options: StoredCredentialsOptions) {
    this.#options = options;
  }

  /**
   * What the user has for the registry `domain` (`docker.io` for Docker Hub); undefined for nothing. Rejects, naming
   * the file or the helper, when that cannot be told.
   */
  async find(domain: string): Promise<RegistryCredentials | undefined> {
    const { configDir, environment, logger } = this.#options;
    const parsed = v.safeParse(configSchema, (await readDockerConfig(configDir)) ?? {});
    if (!parsed.success) throw brokenDockerConfig(join(configDir, 'config.json'));
    const config = parsed.output;
    const names = namesOf(domain);
    const helper = names.map((name) => config.credHelpers?.[name]).find(isGiven);
    const program = helper ?? (config.credsStore || undefined);
    if (program === undefined) return fromFile(config.auths ?? {}, domain);
    try {
      return await askHelper(program, names[0] ?? domain, environment);
    } catch (error) {
      logger.warn(messageOf(error), { registry: domain, kind: kindOf(error) });
      throw error;
    }
  }
}

/** What a registry may be called in the file, the client's own way first. */
function namesOf(domain: string): readonly string[] {
  return domain === HUB_DOMAIN ? [HUB_KEY, 'index.docker.io', HUB_DOMAIN] : [domain];
}

/** The entry of that very name, or else one whose host it is: old clients wrote whole URLs. */
function fromFile(
  auths: Readonly<Record<string, unknown>>,
  domain: string,
): RegistryCredentials | undefined {
  const names = namesOf(domain);
  const byHost = Object.keys(auths).filter((key) => names.includes(hostOf(key)));
  const entry = [...names, ...byHost]
    .map((name) => auths[name])
    .find((given) => given !== undefined && given !== null);
  if (entry === undefined) return undefined;
  const found = tryDecode(entry);
  if (found === undefined) throw badStoredEntry(domain);
  return hasCredentials(found) ? found : undefined;
}

/** Without the reason why not: it may quote the entry. */
function tryDecode(entry: unknown): RegistryCredentials | undefined {
  try {
    return decodeAuthConfig(entry);
  } catch {
    return undefined;
  }
}

function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, '').split('/')[0] ?? key;
}

function isGiven(name: string | undefined): name is string {
  return name !== undefined && name !== '';
}
