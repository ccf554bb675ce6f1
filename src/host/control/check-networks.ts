/** Which networks the daemon could make: whether the kernel plays along is found out by trying, when it starts. */
import { json } from 'node:stream/consumers';
import * as v from 'valibot';
import type { DoctorCheck } from '../machine.ts';
import { askEngine } from './ask-engine.ts';

const infoSchema = v.object({ Warnings: v.nullable(v.array(v.string())) });

/** The lines of `docker info` that are about networks, as `openNetwork` words them. */
const ABOUT_NETWORKS = /^WARNING: ((?:No bridge networks|Networks are open to each other): .*)$/s;

/** Answers for a daemon that runs; otherwise nothing has been tried yet. */
export async function checkNetworks(name: string, apiSocket: string): Promise<DoctorCheck> {
  const answer = await askEngine(apiSocket, 'GET', '/info');
  if (answer === undefined) {
    return { name, state: 'ok', detail: 'tried when the daemon starts, which does not run' };
  }
  const { Warnings: lines } = v.parse(infoSchema, await json(answer));
  const lacks = (lines ?? []).flatMap((line) => ABOUT_NETWORKS.exec(line)?.[1] ?? []);
  if (lacks.length === 0) return { name, state: 'ok', detail: 'can be made, and kept apart' };
  return {
    name,
    state: 'limited',
    detail: lacks.join('; '),
    cure: 'sudo modprobe -a bridge veth nf_tables, and install nftables',
  };
}
