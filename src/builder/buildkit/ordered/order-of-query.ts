/** The order that the query of `POST /build?version=2` stands for. */
import type { SessionBuildQuery } from '../../../wire/build-query.ts';
import type { SolveOrder } from '../build/build-job.ts';

/**
 * Words for `remote`: the context is among the client's directories, or comes by a request of its own. Without any it
 * is the body of the order.
 */
const IN_SESSION = 'client-session';
export const BY_REQUEST = 'upload-request';

/** An address of the client's input, as later clients write it themselves. */
const INPUT = 'http://buildkit-session/';

export function orderOfQuery(query: SessionBuildQuery): SolveOrder {
  return {
    ref: query.buildId,
    session: query.session,
    frontend: 'dockerfile.v0',
    frontendAttrs: new Map(frontendOptions(query)),
    frontendInputs: new Map(),
    definition: undefined,
    exporters: outputs(query),
    exporterType: '',
    exporterAttrs: new Map(),
    cache: undefined,
    entitlements: query.networkMode === 'host' ? ['network.host'] : [],
    internal: false,
  };
}

function frontendOptions(query: SessionBuildQuery): readonly (readonly [string, string])[] {
  const { remote, target, platform, networkMode, cacheFrom } = query;
  const context = remote === undefined || remote === BY_REQUEST ? INPUT : remote;
  const hosts = query.extraHosts.map((entry) => entry.replace(':', '='));
  const given: readonly (readonly [string, string | undefined])[] = [
    ['filename', query.dockerfile],
    ['context', remote === IN_SESSION ? undefined : context],
    ['target', target],
    ['platform', platform],
    ['no-cache', query.noCache ? '' : undefined],
    ['image-resolve-mode', query.pull ? 'pull' : undefined],
    ['force-network-mode', networkMode === 'default' ? undefined : networkMode],
    ['add-hosts', hosts.length === 0 ? undefined : hosts.join(',')],
    ['cache-from', cacheFrom.length === 0 ? undefined : cacheFrom.join(',')],
    ['shm-size', query.shmSizeBytes === undefined ? undefined : String(query.shmSizeBytes)],
    ...resources(query),
    ...[...query.buildArgs].map(([name, value]) => [`build-arg:${name}`, value] as const),
    ...[...query.labels].map(([name, value]) => [`label:${name}`, value] as const),
  ];
  return given.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

const RESOURCE_NAMES: Readonly<Record<string, string>> = {
  MemorySwap: 'memswap',
  CgroupParent: 'cgroup-parent',
};

function resources({ resources: { Ulimits = [], ...simple } }: SessionBuildQuery) {
  const limits = (Ulimits ?? []).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`);
  return [
    ...Object.entries(simple).map(
      ([name, value]) => [RESOURCE_NAMES[name] ?? name.toLowerCase(), String(value)] as const,
    ),
    ['ulimit', limits.length === 0 ? undefined : limits.join(',')] as const,
  ];
}

/** Without an output the image goes into the engine's store. */
function outputs({ outputs: asked, tags }: SessionBuildQuery): SolveOrder['exporters'] {
  const name = tags.join(',');
  const named = tags.length === 0 ? [] : [['name', name] as const];
  if (asked.length === 0) return [{ type: 'moby', attrs: new Map(named) }];
  return asked
    .filter(({ type }) => type !== 'cacheonly')
    .map(({ type, attributes }) => ({ type, attrs: new Map([...named, ...attributes]) }));
}
