/** The engine's own view of the file system, made in its mount namespace before anything else runs there. */
import { realpath, writeFile } from 'node:fs/promises';
import type { HostFacts } from '../handshake/host-facts.ts';
import { prepareCgroupMount } from '../runtime/prepare-cgroup-mount.ts';
import { bindMount } from '../sys/libc.ts';
import { isMounted } from '../sys/mount/mount-table.ts';
import { runtimePaths } from '../sys/paths.ts';
import { isMissing } from '../sys/system-errors.ts';

/** Idempotent: the namespace outlives engines, so an earlier one may have done it all. */
export async function prepareMounts(facts: HostFacts): Promise<void> {
  await prepareCgroupMount();
  await useUplinkResolver(facts);
}

/** The host's resolvers may be on its loopback, which is not ours: the uplink forwards to them. */
async function useUplinkResolver({ uplink, resolver, execRoot }: HostFacts): Promise<void> {
  if (uplink.driver === 'none') return;
  const lines = [`nameserver ${uplink.nameserver}`];
  if (resolver.search.length > 0) lines.push(`search ${resolver.search.join(' ')}`);
  if (resolver.options.length > 0) lines.push(`options ${resolver.options.join(' ')}`);
  const ours = runtimePaths(execRoot).resolvConf;
  await writeFile(ours, `${lines.join('\n')}\n`, { mode: 0o644 });
  const target = await resolvConfTarget();
  if (target !== undefined && !(await isMounted(target))) bindMount(ours, target);
}

/** Often a link into another directory; a mount goes onto what it leads to. */
async function resolvConfTarget(): Promise<string | undefined> {
  try {
    return await realpath('/etc/resolv.conf');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
