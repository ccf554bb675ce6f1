/** The docker client's context that leads to our API. Its files are documented by the client's own tools only, so they are kept minimal. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { isMissing } from '../../sys/system-errors.ts';
import { brokenDockerConfig } from '../host-errors.ts';

/** Name of our context. */
export const CONTEXT_NAME = 'wherry';

const metaSchema = v.looseObject({
  Endpoints: v.looseObject({ docker: v.looseObject({ Host: v.string() }) }),
});
const configSchema = v.looseObject({ currentContext: v.optional(v.string()) });

/** The client's directory: `DOCKER_CONFIG`, or `.docker` of the home. */
export function dockerConfigDir(
  environment: Readonly<Record<string, string | undefined>>,
  home: string,
): string {
  return environment['DOCKER_CONFIG'] || join(home, '.docker');
}

/** Writes (or renews) the context. */
export async function writeDockerContext(configDir: string, host: string): Promise<void> {
  const meta = {
    Name: CONTEXT_NAME,
    Metadata: { Description: 'wherry: rootless containers of this user' },
    Endpoints: { docker: { Host: host, SkipTLSVerify: false } },
  };
  await mkdir(metaDir(configDir), { recursive: true, mode: 0o700 });
  await writeFile(metaPath(configDir), JSON.stringify(meta), { mode: 0o644 });
}

/** The address in the written context; undefined when there is none. */
export async function readDockerContext(configDir: string): Promise<string | undefined> {
  const raw = await readJson(metaPath(configDir));
  const meta = v.safeParse(metaSchema, raw);
  return meta.success ? meta.output.Endpoints.docker.Host : undefined;
}

/** Removes the context; also unselects it when it is the current one. Idempotent. */
export async function removeDockerContext(configDir: string): Promise<void> {
  await rm(metaDir(configDir), { recursive: true, force: true });
  if ((await currentContext(configDir)) === CONTEXT_NAME) await selectContext(configDir, undefined);
}

/** The context that the client uses when it is told nothing else. */
export async function currentContext(configDir: string): Promise<string | undefined> {
  return (await readConfig(configDir)).currentContext;
}

/** Makes a context the current one, or none; everything else in the client's configuration stays. */
export async function selectContext(configDir: string, name: string | undefined): Promise<void> {
  const { currentContext: _, ...config } = await readConfig(configDir);
  const next = name === undefined ? config : { ...config, currentContext: name };
  await mkdir(configDir, { recursive: true, mode: 0o700 });
  await writeFile(configPath(configDir), `${JSON.stringify(next, null, '\t')}\n`, { mode: 0o600 });
}

/** The client's configuration as it is; undefined when there is none. `invalid-argument` when it is no JSON. */
export function readDockerConfig(configDir: string): Promise<unknown> {
  return readJson(configPath(configDir));
}

async function readConfig(configDir: string): Promise<v.InferOutput<typeof configSchema>> {
  const raw = await readDockerConfig(configDir);
  const config = v.safeParse(configSchema, raw ?? {});
  if (!config.success) throw brokenDockerConfig(configPath(configDir));
  return config.output;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw brokenDockerConfig(path, error);
  }
}

function configPath(configDir: string): string {
  return join(configDir, 'config.json');
}

/** The client names the directory of a context by the digest of its name. */
function metaDir(configDir: string): string {
  const digest = createHash('sha256').update(CONTEXT_NAME).digest('hex');
  return join(configDir, 'contexts', 'meta', digest);
}

function metaPath(configDir: string): string {
  return join(metaDir(configDir), 'meta.json');
}
