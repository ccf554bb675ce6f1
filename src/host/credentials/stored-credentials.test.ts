import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Logger } from '../../shared/logger.ts';
import { silentLogger } from '../../shared/logger.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';
import { StoredCredentials } from './stored-credentials.ts';

const SECRET = 'hold-full-of-gold';
const root = await mkdtemp(join(tmpdir(), 'credentials-'));
after(() => rm(root, { recursive: true }));
const logged: string[] = [];
const note = (...words: unknown[]) => void logged.push(JSON.stringify(words));
const logger: Logger = { ...silentLogger, debug: note, info: note, warn: note, error: note };

/** The user's credentials with that configuration, and helpers that are shell scripts. */
async function stored(config: unknown, helpers: Readonly<Record<string, string>> = {}) {
  const dir = await mkdtemp(join(root, 'user-'));
  const bin = join(dir, 'bin');
  await mkdir(bin);
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  if (config !== undefined) await writeFile(join(dir, 'config.json'), text);
  for (const [name, script] of Object.entries(helpers)) {
    const path = join(bin, `docker-credential-${name}`);
    await writeFile(path, `#!/bin/sh\n${script}\n`);
    await chmod(path, 0o755);
  }
  return new StoredCredentials({
    configDir: dir,
    environment: { PATH: `${bin}:/usr/bin:/bin`, KEYRING: 'of mate' },
    logger,
  });
}

/** `user:password` or `token:…`; undefined for none. */
function told(found: RegistryCredentials | undefined): string | undefined {
  if (found === undefined) return undefined;
  const { username, password, identityToken } = found;
  return identityToken === '' ? `${username}:${password}` : `token:${identityToken}`;
}

const auth = Buffer.from(`mate:${SECRET}`).toString('base64');

test('auths are found by name, by the host of a URL, and Docker Hub by its own key', async () => {
  const auths = {
    'plain.example:5000': { auth },
    'https://old.example/v1/': { username: 'old', password: 'salt' },
    'https://index.docker.io/v1/': { auth, identitytoken: 'of the hub' },
    'empty.example': {},
  };
  const user = await stored({ auths });
  assert.equal(told(await user.find('plain.example:5000')), `mate:${SECRET}`);
  assert.equal(told(await user.find('old.example')), 'old:salt');
  assert.equal(told(await user.find('docker.io')), 'token:of the hub');
  for (const domain of ['empty.example', 'plain.example', 'nowhere.example']) {
    assert.equal(await user.find(domain), undefined, domain);
  }
});

test('without a configuration there is nothing, and a broken one is named', async () => {
  assert.equal(await (await stored(undefined)).find('a.example'), undefined);
  await assert.rejects(
    (await stored('{"auths":')).find('a.example'),
    /config\.json cannot be read/,
  );
  const odd = await stored({ auths: { 'a.example': { auth: 7 } } });
  await assert.rejects(odd.find('a.example'), /an entry for a\.example that cannot be understood/);
});

test('the helper of a registry wins over that for all, and is asked in the user’s environment', async () => {
  const answer = (name: string) =>
    `read server; echo '{"Username":"'${name}'","Secret":"'"$server $1 $KEYRING"'"}'`;
  const user = await stored(
    {
      credsStore: 'all',
      credHelpers: { 'one.example': 'one' },
      auths: { 'one.example': { auth } },
    },
    { all: answer('all'), one: answer("'<token>'") },
  );
  assert.equal(told(await user.find('one.example')), 'token:one.example get of mate');
  assert.equal(told(await user.find('b.example')), 'all:b.example get of mate');
  assert.equal(told(await user.find('docker.io')), 'all:https://index.docker.io/v1/ get of mate');
});

test('a helper that has nothing is no failure', async () => {
  const script = 'echo "credentials not found in native keychain"; exit 1';
  const user = await stored({ credsStore: 'empty' }, { empty: script });
  assert.equal(await user.find('a.example'), undefined);
});

test('a helper that fails is named with its reason, and no secret is logged', async () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'locked',
      'echo "the keyring is locked"; exit 2',
      /docker-credential-locked .*keyring is locked/,
    ],
    ['odd', `echo 'secret: ${SECRET}'`, /docker-credential-odd .*answer is malformed/],
    ['half', `echo '{"Username":"mate","Secrt":"${SECRET}"}'`, /-half .*answer is malformed/],
    ['mute', 'exit 1', /docker-credential-mute .*without a word/],
  ];
  for (const [name, script, reason] of cases) {
    const user = await stored({ credsStore: name }, { [name]: script });
    await assert.rejects(user.find('a.example'), reason);
  }
  await assert.rejects(
    (await stored({ credsStore: 'gone' })).find('a.example'),
    /docker-credential-gone not found/,
  );
  await assert.rejects((await stored({ credsStore: '../sh' })).find('a.example'), /"\.\.\/sh"/);
  assert.ok(logged.length > 0);
  assert.doesNotMatch(logged.join(), new RegExp(`${SECRET}|${auth}`));
});
