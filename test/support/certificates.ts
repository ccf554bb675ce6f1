/** A certificate authority of a test's own, made by openssl. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './run-command.ts';

/** A certificate with its key, as paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

export class TestAuthority implements AsyncDisposable {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  static async create(): Promise<TestAuthority> {
    const authority = new TestAuthority(await mkdtemp(join(tmpdir(), 'ca-')));
    const { certificate, key } = authority.#files('ca');
    const subject = ['-subj', '/CN=Harbour Master', '-days', '2', '-nodes'];
    await openssl('req', '-x509', ...EC_KEY, ...subject, '-keyout', key, '-out', certificate);
    return authority;
  }

  /** PEM file of the authority itself. */
  get certificate(): string {
    return this.#files('ca').certificate;
  }

  /** The authority as PEM. */
  pem(): Promise<string> {
    return readFile(this.certificate, 'utf8');
  }

  /** A certificate for a server at these addresses, or for a client when there are none. */
  async issue(name: string, addresses: readonly string[] = []): Promise<CertificateFiles> {
    const files = this.#files(name);
    const request = join(this.#dir, `${name}.csr`);
    const extensions = join(this.#dir, `${name}.ext`);
    const names = addresses.map((address) => `IP:${address}`).join(',');
    await writeFile(
      extensions,
      names === '' ? 'extendedKeyUsage=clientAuth\n' : `subjectAltName=${names}\n`,
    );
    const subject = ['-subj', `/CN=${name}`, '-nodes'];
    await openssl('req', '-new', ...EC_KEY, ...subject, '-keyout', files.key, '-out', request);
    const ca = this.#files('ca');
    const signer = ['-CA', ca.certificate, '-CAkey', ca.key, '-CAcreateserial', '-days', '2'];
    const output = ['-extfile', extensions, '-out', files.certificate];
    await openssl('x509', '-req', '-in', request, ...signer, ...output);
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#dir, { recursive: true, force: true });
  }

  #files(name: string): CertificateFiles {
    return { certificate: join(this.#dir, `${name}.pem`), key: join(this.#dir, `${name}.key`) };
  }
}

const EC_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];

async function openssl(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand(['openssl', ...args]);
  assert.equal(code, 0, stderr);
}
