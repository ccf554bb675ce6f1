/** A file of the Container Device Interface (CDI): what a container gets with a vendor's device. */
import * as v from 'valibot';

const text = v.string();
const texts = v.array(text);

const deviceNode = v.object({
  path: text,
  /** The device on the host; `path` when absent. */
  hostPath: v.optional(text),
});

const mount = v.object({
  hostPath: text,
  containerPath: text,
  options: v.optional(texts, []),
  type: v.optional(text, ''),
});

const hook = v.object({
  hookName: text,
  path: text,
  args: v.optional(texts),
  env: v.optional(texts),
  timeout: v.optional(v.number()),
});

const containerEdits = v.object({
  env: v.optional(texts, []),
  deviceNodes: v.optional(v.array(deviceNode), []),
  mounts: v.optional(v.array(mount), []),
  hooks: v.optional(v.array(hook), []),
  additionalGids: v.optional(v.array(v.number()), []),
  /** Neither can be done from a user namespace or by every runtime: told when such a device is asked for. */
  intelRdt: v.optional(v.unknown()),
  netDevices: v.optional(v.unknown()),
});

const spec = v.object({
  cdiVersion: text,
  /** `vendor.com/class` */
  kind: v.pipe(text, v.regex(/^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w-]*$/)),
  devices: v.array(v.object({ name: text, containerEdits: v.optional(containerEdits, {}) })),
  /** For every device of the file. */
  containerEdits: v.optional(containerEdits, {}),
});

/** One file, decoded. */
export type CdiSpec = v.InferOutput<typeof spec>;

/** Changes to the configuration of a container. */
export type CdiEdits = v.InferOutput<typeof containerEdits>;

/** The spec in parsed JSON or YAML; undefined with the reason when it is none. */
export function decodeCdiSpec(raw: unknown): CdiSpec | { readonly wrong: string } {
  const parsed = v.safeParse(spec, raw);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  return { wrong: `${v.getDotPath(issue) ?? 'file'}: ${issue.message}` };
}

/** The edits of several devices as one. */
export function joinEdits(edits: readonly CdiEdits[]): CdiEdits {
  return {
    env: edits.flatMap(({ env }) => env),
    deviceNodes: edits.flatMap(({ deviceNodes }) => deviceNodes),
    mounts: edits.flatMap(({ mounts }) => mounts),
    hooks: edits.flatMap(({ hooks }) => hooks),
    additionalGids: [...new Set(edits.flatMap(({ additionalGids }) => additionalGids))],
    intelRdt: edits.find(({ intelRdt }) => intelRdt !== undefined)?.intelRdt,
    netDevices: edits.find(({ netDevices }) => netDevices !== undefined)?.netDevices,
  };
}
