/** Gets the host's sockets for one published port. */
import { closeSync } from 'node:fs';
import { EngineError } from '../../shared/errors.ts';
import type { HostListener, HostListeners } from '../port-publisher.ts';
import type { PublishRequest } from '../sandbox-service.ts';

/** A bind that the host refused, with the address it was about. */
export interface BindRefusal {
  readonly hostIp: string;
  readonly hostPort: number;
  readonly cause: unknown;
}

/** Either all sockets of the port or none. */
export type BindOutcome =
  | { readonly listeners: readonly HostListener[] }
  | { readonly refusal: BindRefusal };

const ANY_IPV4 = '0.0.0.0';
const ANY_IPV6 = '::';
/** What a privileged port becomes when it may become another one: 80 is 10080 then. */
const REMAPPED_BY = 10_000;
/** How often a random port that is free in one family only is given back. */
const RANDOM_ATTEMPTS = 16;
/** The host has no IPv6: then IPv4 alone is all addresses there are. */
const NO_IPV6: ReadonlySet<string | undefined> = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL']);

/**
 * Binds the address asked for, or both families on one port when it is empty; of a range the first port that is
 * free. A privileged port that is refused becomes another one where that is wanted. Never throws for a refusal.
 */
export async function bindPort(
  host: HostListeners,
  request: PublishRequest,
  { remapsPrivileged }: { readonly remapsPrivileged: boolean },
): Promise<BindOutcome> {
  const outcome = await bindInRange(host, request);
  const isKept = 'refusal' in outcome && codeOf(outcome.refusal.cause) === 'EACCES';
  if (!isKept || !remapsPrivileged) return outcome;
  const { lastHostPort } = request;
  return await bindInRange(host, {
    ...request,
    hostPort: request.hostPort + REMAPPED_BY,
    ...(lastHostPort === undefined ? {} : { lastHostPort: lastHostPort + REMAPPED_BY }),
  });
}

async function bindInRange(host: HostListeners, request: PublishRequest): Promise<BindOutcome> {
  const { hostPort, lastHostPort = hostPort } = request;
  let outcome = await bindExactly(host, request);
  for (let next = hostPort + 1; next <= lastHostPort && isTaken(outcome); next++) {
    outcome = await bindExactly(host, { ...request, hostPort: next });
  }
  return outcome;
}

function isTaken(outcome: BindOutcome): boolean {
  return 'refusal' in outcome && codeOf(outcome.refusal.cause) === 'EADDRINUSE';
}

async function bindExactly(host: HostListeners, request: PublishRequest): Promise<BindOutcome> {
  if (request.hostIp !== '') return await bindOne(host, request, request.hostIp);
  const attempts = request.hostPort === 0 ? RANDOM_ATTEMPTS : 1;
  let outcome = await bindBoth(host, request);
  for (let attempt = 1; attempt < attempts && 'refusal' in outcome; attempt++) {
    outcome = await bindBoth(host, request);
  }
  return outcome;
}

async function bindBoth(host: HostListeners, request: PublishRequest): Promise<BindOutcome> {
  const first = await bindOne(host, request, ANY_IPV4);
  if ('refusal' in first) return first;
  const hostPort = first.listeners[0]?.hostPort ?? request.hostPort;
  const second = await bindOne(host, { ...request, hostPort }, ANY_IPV6);
  if ('listeners' in second) return { listeners: [...first.listeners, ...second.listeners] };
  if (NO_IPV6.has(codeOf(second.refusal.cause))) return first;
  for (const listener of first.listeners) await giveBack(host, listener);
  return second;
}

async function bindOne(
  host: HostListeners,
  request: PublishRequest,
  hostIp: string,
): Promise<BindOutcome> {
  const { protocol, hostPort } = request;
  try {
    return { listeners: [await host.open({ protocol, hostIp, hostPort })] };
  } catch (cause) {
    return { refusal: { hostIp, hostPort, cause } };
  }
}

/** Closes a listener that nobody serves: our descriptor first, then the host's. */
export async function giveBack(host: HostListeners, listener: HostListener): Promise<void> {
  closeSync(listener.fd);
  await host.close(listener.listenerId);
}

/** The errno name of a refusal. */
export function codeOf(cause: unknown): string | undefined {
  return cause instanceof EngineError ? cause.details['code'] : undefined;
}
