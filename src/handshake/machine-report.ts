/** The state of the machine as `wherry status` shows it. */
import * as v from 'valibot';

const processSchema = v.object({ pid: v.number(), alive: v.boolean() });

/** What runs and what is wrong. Never an error itself: everything that fails is a sentence in `errors`. */
export const machineReportSchema = v.object({
  /** `running`: engine answers; `starting`, `stopping`; `stopped`: nothing runs; `degraded`: parts run without a host or engine. */
  state: v.picklist(['running', 'starting', 'stopping', 'stopped', 'degraded']),
  version: v.string(),
  host: v.optional(processSchema),
  anchor: v.optional(processSchema),
  engine: v.optional(
    v.object({ ...processSchema.entries, version: v.string(), restarts: v.number() }),
  ),
  uplink: v.optional(
    v.object({
      driver: v.string(),
      ...v.partial(processSchema).entries,
      reason: v.optional(v.string()),
    }),
  ),
  /** The virtual machine; then there is no anchor, and engine and uplink are inside. */
  vm: v.optional(v.object({ ...processSchema.entries, driver: v.string() })),
  idMap: v.optional(v.picklist(['subid', 'single'])),
  dataRoot: v.string(),
  execRoot: v.string(),
  /** API addresses, the first is the one to use. */
  hosts: v.array(v.string()),
  warnings: v.array(v.string()),
  errors: v.array(v.string()),
});

export type MachineReport = v.InferOutput<typeof machineReportSchema>;
