/** The query of `POST /build`. */
import * as v from 'valibot';
import { randomId } from '../shared/ids.ts';
import type { HostConfig, Resources } from './container-config.ts';
import { decode, integer, parseJson, struct, text, textMap, texts } from './decode.ts';
import { decodeBoolean, decodeInteger } from './query.ts';
import { unsupportedIsolation } from './wire-errors.ts';

/** A build as asked for. */
export interface BuildQuery {
  /** Path in the context. */
  readonly dockerfile: string;
  readonly tags: readonly string[];
  /** Git repository or URL that the context comes from, instead of the body. */
  readonly remote: string | undefined;
  /** Nothing is told but the image's id. */
  readonly quiet: boolean;
  readonly noCache: boolean;
  readonly pull: boolean;
  readonly removeContainers: boolean;
  /** True when the result is asked for elsewhere than in the image store. */
  readonly hasOutputs: boolean;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  readonly platform: string | undefined;
  readonly networkMode: string;
  /** `name:address`. */
  readonly extraHosts: readonly string[];
  readonly shmSizeBytes: number | undefined;
  readonly resources: Resources & Pick<HostConfig, 'Ulimits'>;
  readonly securityOpt: readonly string[];
  /** Images whose layers should be taken. */
  readonly cacheFrom: readonly string[];
}

/** A build over a session, `version=2`. */
export interface SessionBuildQuery extends BuildQuery {
  /** Chosen by the client, if it means to refer to the build. */
  readonly buildId: string;
  readonly session: string;
  readonly outputs: readonly {
    readonly type: string;
    readonly attributes: ReadonlyMap<string, string>;
  }[];
}

const NullableMap = v.record(text, v.nullable(text));
const UlimitList = v.array(
  struct({ Name: text, Soft: v.optional(integer, 0), Hard: v.optional(integer, 0) }),
);

/** `invalid-argument` for values of the wrong type. */
export function decodeBuildQuery(query: URLSearchParams): BuildQuery {
  const one = (name: string) => query.get(name) || undefined;
  const flag = (name: string, fallback = false) =>
    decodeBoolean(query.get(name) || undefined, fallback);
  const isolation = one('isolation') ?? 'default';
  if (isolation.toLowerCase() !== 'default') throw unsupportedIsolation(isolation);
  const shmSize = decodeInteger('shmsize', one('shmsize')) ?? 0;
  return {
    dockerfile: one('dockerfile') ?? 'Dockerfile',
    tags: query.getAll('t').filter((name) => name !== ''),
    remote: one('remote'),
    quiet: flag('q'),
    noCache: flag('nocache'),
    pull: flag('pull'),
    removeContainers: flag('rm', true),
    hasOutputs: hasOutputs(one('outputs')),
    buildArgs: buildArgs(one('buildargs')),
    labels: new Map(Object.entries(json(one('labels'), textMap) ?? {})),
    target: one('target'),
    platform: one('platform'),
    networkMode: one('networkmode') ?? 'default',
    extraHosts: query.getAll('extrahosts').flatMap(listOf),
    shmSizeBytes: shmSize > 0 ? shmSize : undefined,
    resources: resources(one),
    securityOpt: query.getAll('securityopt').flatMap(listOf),
    cacheFrom: json(one('cachefrom'), texts) ?? [],
  };
}

const Outputs = v.array(struct({ Type: text, Attrs: v.optional(v.nullable(textMap)) }));

/** `invalid-argument` for values of the wrong type. */
export function decodeSessionBuildQuery(query: URLSearchParams): SessionBuildQuery {
  const outputs = json(query.get('outputs') || undefined, Outputs) ?? [];
  return {
    ...decodeBuildQuery(query),
    buildId: query.get('buildid') || randomId(),
    session: query.get('session') ?? '',
    outputs: outputs.map(({ Type, Attrs }) => ({
      type: Type,
      attributes: new Map(Object.entries(Attrs ?? {})),
    })),
  };
}

/** A list of places; the classic builder knows none. */
function hasOutputs(raw: string | undefined): boolean {
  return (json(raw, v.array(v.unknown())) ?? []).length > 0;
}

/** Arguments without a value are declared and set by nobody. */
function buildArgs(raw: string | undefined): ReadonlyMap<string, string> {
  const given = Object.entries(json(raw, NullableMap) ?? {});
  return new Map(
    given.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  );
}

/** Go's clients say `null` for what is not set. */
function json<Schema extends v.GenericSchema>(
  raw: string | undefined,
  schema: Schema,
): v.InferOutput<Schema> | undefined {
  return raw === undefined ? undefined : (decode(v.nullable(schema), parseJson(raw)) ?? undefined);
}

/** Some clients send JSON lists where others repeat the parameter. */
function listOf(raw: string): readonly string[] {
  if (raw === '') return [];
  return raw.startsWith('[') ? (json(raw, texts) ?? []) : [raw];
}

const NUMBERS = {
  memory: 'Memory',
  memswap: 'MemorySwap',
  cpushares: 'CpuShares',
  cpuperiod: 'CpuPeriod',
  cpuquota: 'CpuQuota',
} as const;
const TEXTS = {
  cpusetcpus: 'CpusetCpus',
  cpusetmems: 'CpusetMems',
  cgroupparent: 'CgroupParent',
} as const;

function resources(one: (name: string) => string | undefined): BuildQuery['resources'] {
  const numbers = Object.entries(NUMBERS).map(([name, field]) => [
    field,
    decodeInteger(name, one(name)) ?? 0,
  ]);
  const words = Object.entries(TEXTS).map(([name, field]) => [field, one(name) ?? '']);
  const set = [...numbers, ...words].filter(([, value]) => value !== 0 && value !== '');
  const ulimits = json(one('ulimits'), UlimitList);
  return {
    ...Object.fromEntries(set),
    ...(ulimits === undefined ? {} : { Ulimits: ulimits }),
  };
}
