/** How much more registries allow: what they have said to the daemon, whose pulls count. */
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import { REGISTRY_LIMITS_PATH, registryLimitsSchema } from '../../handshake/registry-limits.ts';
import type { DoctorCheck } from '../machine.ts';
import { askEngine } from './ask-engine.ts';

const MINUTE_MS = 60_000;

/** Answers for a daemon that runs; nobody is asked for this alone. */
export async function checkRegistryLimits(name: string, apiSocket: string): Promise<DoctorCheck> {
  const answer = await askEngine(apiSocket, 'GET', REGISTRY_LIMITS_PATH);
  const limits = answer === undefined ? [] : v.parse(registryLimitsSchema, await json(answer));
  if (limits.length === 0) return { name, state: 'ok', detail: 'no registry has told of any' };
  const detail = limits.map(({ domain, left, saidAtMs }) => {
    const minutes = Math.max(0, Math.floor((Date.now() - saidAtMs) / MINUTE_MS));
    return `${domain}: ${left} (${minutes} minutes ago)`;
  });
  const isUsedUp = limits.some(({ left }) => left.startsWith('0 '));
  if (!isUsedUp) return { name, state: 'ok', detail: detail.join('; ') };
  const cure = 'docker login: registries allow more to those they know; or set registry-mirrors';
  return { name, state: 'limited', detail: detail.join('; '), cure };
}
