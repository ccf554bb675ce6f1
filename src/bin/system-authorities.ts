/** The certificate authorities that the machine trusts; node has a list of its own and reads none of these. */
import { readFile } from 'node:fs/promises';
import { isMissing } from '../sys/system-errors.ts';

/** Where distributions keep them, as one file. */
const SYSTEM_BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/** PEM texts: the file of OpenSSL's variable, or the distribution's. A file that cannot be read is reported only. */
export async function readSystemAuthorities(
  environment: Readonly<Record<string, string | undefined>>,
  onUnreadable: (path: string, error: unknown) => void,
): Promise<readonly string[]> {
  const named = environment['SSL_CERT_FILE'];
  for (const path of named === undefined ? SYSTEM_BUNDLES : [named]) {
    try {
      return [await readFile(path, 'utf8')];
    } catch (error) {
      if (named === undefined && isMissing(error)) continue;
      onUnreadable(path, error);
    }
  }
  return [];
}
