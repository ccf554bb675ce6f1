/** Reading a container's document back from disk: wrong shapes go to quarantine instead of into the engine. */
import * as v from 'valibot';
import type { ContainerDocument } from './container-document.ts';

const process = v.looseObject({ pid: v.number(), startTicks: v.number(), bootId: v.string() });

const task = v.looseObject({
  id: v.string(),
  runtimeName: v.string(),
  init: process,
  monitor: process,
  startedAt: v.string(),
});

const exit = v.looseObject({
  exitCode: v.number(),
  startedAt: v.string(),
  finishedAt: v.string(),
  oomKilled: v.boolean(),
  error: v.string(),
});

const live = {
  task,
  oomKilled: v.optional(v.boolean()),
  network: v.optional(v.looseObject({ netnsPath: v.string() })),
  previousEnd: v.optional(v.string()),
};

const status = v.variant('state', [
  v.looseObject({ state: v.literal('created') }),
  v.looseObject({
    state: v.literal('starting'),
    before: v.picklist(['created', 'exited', 'restarting']),
  }),
  v.looseObject({ state: v.literal('running'), ...live }),
  v.looseObject({ state: v.literal('paused'), ...live, passing: v.optional(v.boolean()) }),
  v.looseObject({ state: v.literal('stopping'), ...live }),
  v.looseObject({ state: v.literal('exited'), last: exit }),
  v.looseObject({ state: v.literal('restarting'), last: exit }),
  v.looseObject({
    state: v.literal('removing'),
    last: v.optional(exit),
    volumes: v.optional(v.boolean()),
  }),
  v.looseObject({ state: v.literal('dead'), last: v.optional(exit) }),
]);

const health = v.looseObject({
  status: v.picklist(['starting', 'healthy', 'unhealthy']),
  failingStreak: v.number(),
  log: v.array(
    v.looseObject({
      start: v.string(),
      end: v.string(),
      exitCode: v.number(),
      output: v.string(),
    }),
  ),
});

const schema = v.looseObject({
  v: v.literal(1),
  id: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  name: v.string(),
  createdAt: v.string(),
  imageRef: v.string(),
  imageId: v.string(),
  parentChainId: v.nullable(v.string()),
  config: v.looseObject({}),
  hostConfig: v.looseObject({}),
  endpointSettings: v.record(v.string(), v.looseObject({})),
  networkChange: v.optional(
    v.looseObject({ networkId: v.string(), networkName: v.string(), settings: v.looseObject({}) }),
  ),
  mounts: v.array(v.looseObject({ type: v.string(), destination: v.string() })),
  links: v.optional(v.array(v.looseObject({ id: v.string(), alias: v.string() }))),
  runtimeName: v.string(),
  restartCount: v.number(),
  restartDelayMs: v.optional(v.number()),
  hasBeenManuallyStopped: v.optional(v.boolean()),
  health: v.optional(health),
  status,
});

/** The document, checked where the engine relies on its shape; throws with the path of what is wrong. */
export function decodeContainer(raw: unknown): ContainerDocument {
  return v.parse(schema, raw) as unknown as ContainerDocument;
}
