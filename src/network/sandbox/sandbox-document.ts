/** What is stored of a sandbox while it lives: enough to take it over after an engine restart. */
import * as v from 'valibot';
import type { NetworkId } from '../../shared/ids.ts';

const protocol = v.picklist(['tcp', 'udp']);

const endpointSchema = v.object({
  networkName: v.string(),
  networkId: v.pipe(
    v.string(),
    v.transform((id) => id as NetworkId),
  ),
  endpointId: v.string(),
  ipAddress: v.string(),
  prefixLength: v.number(),
  gateway: v.string(),
  macAddress: v.string(),
});

const boundPortSchema = v.object({
  protocol,
  containerPort: v.number(),
  hostIp: v.string(),
  hostPort: v.number(),
  listenerId: v.string(),
});

const sandboxSchema = v.object({
  v: v.literal(1),
  /** Name of the container, for messages about its ports. */
  endpointName: v.string(),
  endpoints: v.array(endpointSchema),
  /** Ports as bound; empty until all of them are. */
  published: v.array(boundPortSchema),
});

export type SandboxDocument = v.InferOutput<typeof sandboxSchema>;

/** Decodes a stored document; throws with the path of what is wrong. */
export function decodeSandbox(raw: unknown): SandboxDocument {
  return v.parse(sandboxSchema, raw);
}
