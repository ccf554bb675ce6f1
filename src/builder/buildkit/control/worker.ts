/** How this engine presents itself as BuildKit's worker. */
import type { Platform } from '../../../oci/platform.ts';
import type { PlatformMessage, VersionMessage, WorkerRecord } from '../proto/common.ts';
import type { EncodableOf } from '../proto/message.ts';

export interface WorkerFacts {
  readonly engineId: string;
  readonly version: string;
  readonly platforms: readonly Platform[];
  readonly hostGatewayIp: string;
}

/**
 * Clients choose what they send by this version. It is the one whose protocol we speak, followed by our own; a
 * version without `buildkit` in its package would be taken for a development build.
 */
const PROTOCOL_VERSION = 'v0.23.2';

export const versionMessage = ({ version }: WorkerFacts): EncodableOf<typeof VersionMessage> => ({
  package: 'wherry',
  version: PROTOCOL_VERSION,
  revision: version,
});

/** With the label of a snapshotter clients use every exporter, as with Docker's containerd image store. */
export const workerRecord = (facts: WorkerFacts): EncodableOf<typeof WorkerRecord> => ({
  id: facts.engineId,
  labels: new Map([
    ['org.mobyproject.buildkit.worker.executor', 'wherry'],
    ['org.mobyproject.buildkit.worker.hostname', 'wherry'],
    ['org.mobyproject.buildkit.worker.moby.host-gateway-ip', facts.hostGatewayIp],
    ['org.mobyproject.buildkit.worker.network', 'bridge'],
    ['org.mobyproject.buildkit.worker.oci.process-mode', 'sandbox'],
    ['org.mobyproject.buildkit.worker.snapshotter', 'overlayfs'],
  ]),
  platforms: facts.platforms.map(toPlatformMessage),
  buildkitVersion: versionMessage(facts),
});

/** A platform as it travels. */
export const toPlatformMessage = (platform: Platform): EncodableOf<typeof PlatformMessage> => ({
  os: platform.os,
  architecture: platform.architecture,
  variant: platform.variant,
});
