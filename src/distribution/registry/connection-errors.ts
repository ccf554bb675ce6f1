/** What can go wrong on the way to a registry because of the user's own settings: proxies and certificates. */
import { STATUS_CODES } from 'node:http';
import { EngineError, messageOf } from '../../shared/errors.ts';

/** A proxy setting that cannot be used. */
export function badProxy(text: string, reason: string): EngineError {
  const shown = text.replace(/\/\/[^@/]*@/, '//***@');
  return new EngineError('unavailable', `proxy ${JSON.stringify(shown)} cannot be used: ${reason}`);
}

/** A proxy that does not let us through. */
export function proxyRefused(proxy: URL, status: number): EngineError {
  const cure = status === 407 ? ': give user name and password in the address of the proxy' : '';
  return new EngineError(
    'internal',
    `proxy ${proxy.host} refused the connection: ${status} ${STATUS_CODES[status] ?? ''}${cure}`,
  );
}

/** Half of a client certificate in `certs.d`; Docker's words. */
export function certificateWithoutKey(certificate: string, key: string): EngineError {
  return new EngineError(
    'unavailable',
    `missing key ${key} for client certificate ${certificate}. CA certificates must use the extension .crt`,
  );
}

/** The other half. */
export function keyWithoutCertificate(certificate: string, key: string): EngineError {
  return new EngineError('unavailable', `missing client certificate ${certificate} for key ${key}`);
}

/** Files in `certs.d` that are there and cannot be read. */
export function unreadableCertificates(path: string, cause: unknown): EngineError {
  return new EngineError('unavailable', `cannot read ${path}: ${messageOf(cause)}`, { cause });
}
