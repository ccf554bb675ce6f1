/** The API's own sockets: bound by the host, served by whichever engine runs. */
import { rm } from 'node:fs/promises';
import type { ApiListener } from '../handshake/host-facts.ts';
import type { ApiAddress } from './api-address.ts';
import { badApiAddress } from './host-errors.ts';
import { apiListenerName, apiSocketPath, type ListenerRegistry } from './listener-registry.ts';

/** A socket that the service manager has bound and passed on (sd_listen_fds(3)). */
export interface InheritedSocket {
  readonly name: string;
  readonly fd: number;
}

/** Binds every address that is not held yet. On failure those bound by this call are closed again. */
export async function bindApiSockets(
  listeners: ListenerRegistry,
  addresses: readonly ApiAddress[],
  inherited: readonly InheritedSocket[],
): Promise<readonly ApiListener[]> {
  const bound: string[] = [];
  const result: ApiListener[] = [];
  try {
    for (const address of addresses) {
      const names = await bindOne({ listeners, inherited, bound }, address);
      result.push(...names.map((listenerId) => ({ listenerId, address: address.text })));
    }
    return result;
  } catch (error) {
    for (const listenerId of bound) {
      listeners.close(listenerId);
      await removeApiSocketFile(listenerId);
    }
    throw error;
  }
}

/** Removes the file of a unix socket, so that clients see at once that nobody is there. Nothing for other kinds. */
export async function removeApiSocketFile(listenerId: string): Promise<void> {
  const path = apiSocketPath(listenerId);
  if (path !== undefined) await rm(path, { force: true });
}

interface BindContext {
  readonly listeners: ListenerRegistry;
  readonly inherited: readonly InheritedSocket[];
  readonly bound: string[];
}

async function bindOne(context: BindContext, address: ApiAddress): Promise<readonly string[]> {
  const { listeners, bound } = context;
  if (address.scheme === 'fd') return adoptInherited(context, address);
  const { listenerId } = apiListenerName(address.text);
  if (listeners.has(listenerId)) return [listenerId];
  await listeners.openApi(address);
  bound.push(listenerId);
  return [listenerId];
}

function adoptInherited(
  { listeners, inherited, bound }: BindContext,
  address: Extract<ApiAddress, { scheme: 'fd' }>,
): readonly string[] {
  const chosen = inherited.filter(({ name }) => address.name === '' || name === address.name);
  if (chosen.length === 0) {
    throw badApiAddress(address.text, 'the service manager has passed no such socket');
  }
  return chosen.map(({ name, fd }) => {
    const listener = apiListenerName(`fd://${name}#${fd}`);
    if (!listeners.has(listener.listenerId)) {
      listeners.adopt(listener, fd);
      bound.push(listener.listenerId);
    }
    return listener.listenerId;
  });
}
