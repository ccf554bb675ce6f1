/**
 * Certificates for single registries: `certs.d/HOST[:PORT]/` with authorities (`*.crt`) and client certificates
 * (`NAME.cert` beside `NAME.key`), as Docker documents in "Verify repository client with certificates".
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../shared/errors.ts';
import {
  certificateWithoutKey,
  keyWithoutCertificate,
  unreadableCertificates,
} from './connection-errors.ts';

/** PEM texts. */
export interface RegistryCertificates {
  readonly authorities: readonly string[];
  readonly clients: readonly { readonly certificate: string; readonly key: string }[];
}

const NONE: RegistryCertificates = { authorities: [], clients: [] };

/**
 * Reads the first of `directories` (the `certs.d` themselves) that has something for `host`. Nothing is kept:
 * what the user puts there counts from the next connection on. `unavailable` for a half pair or unreadable file.
 */
export async function readRegistryCertificates(
  directories: readonly string[],
  host: string,
): Promise<RegistryCertificates> {
  // The host comes from a reference or a redirect: it must not lead out of the directory.
  if (!/^[\w.\-[\]:]+$/.test(host) || host.startsWith('.')) return NONE;
  for (const directory of directories) {
    const place = join(directory, host);
    const names = await namesIn(place);
    if (names.length > 0) return await readAll(place, names);
  }
  return NONE;
}

async function namesIn(place: string): Promise<readonly string[]> {
  try {
    return (await readdir(place)).toSorted();
  } catch (error) {
    const absent = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
    if (absent) return [];
    throw unreadableCertificates(place, error);
  }
}

async function readAll(place: string, names: readonly string[]): Promise<RegistryCertificates> {
  const read = (name: string) =>
    readFile(join(place, name), 'utf8').catch((error: unknown) => {
      throw unreadableCertificates(join(place, name), error);
    });
  const having = (ending: string) => names.filter((name) => name.endsWith(ending));
  const partner = (name: string, ending: string) => name.replace(/\.[^.]+$/, ending);
  for (const key of having('.key')) {
    const certificate = partner(key, '.cert');
    if (!names.includes(certificate)) throw keyWithoutCertificate(certificate, key);
  }
  const clients: { certificate: string; key: string }[] = [];
  for (const name of having('.cert')) {
    const key = partner(name, '.key');
    if (!names.includes(key)) throw certificateWithoutKey(name, key);
    clients.push({ certificate: await read(name), key: await read(key) });
  }
  return { authorities: await Promise.all(having('.crt').map(read)), clients };
}
