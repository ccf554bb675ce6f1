/** Does with a build's result what its client ordered. */
import type { BuildJob, ResultRef, ReturnedResult } from '../build/build-job.ts';
import { wantsInlineCache, withInlineCache } from '../cache/inline-cache.ts';
import type { Session } from '../session/session-registry.ts';
import { exportArchive } from './export-archive.ts';
import type { Export, ExportAnswer, ExportDeps } from './export-deps.ts';
import { unknownExporter } from './export-errors.ts';
import { exportFiles } from './export-files.ts';
import { exportImage } from './export-image.ts';
import { exportTar } from './export-tar.ts';
import { provenanceOf, provenanceRequest } from './provenance.ts';

type Exporter = (deps: ExportDeps, output: Export) => Promise<ExportAnswer>;

/** By BuildKit's names; `moby` is what clients of the docker driver call the engine's own store. */
const EXPORTERS: ReadonlyMap<string, Exporter> = new Map([
  ['moby', exportImage],
  ['image', exportImage],
  ['docker', exportArchive],
  ['oci', exportArchive],
  ['tar', exportTar],
  ['local', exportFiles],
]);

/** Resolves to what the client is told. All types are checked before the first output is made. */
export async function exportResult(
  deps: ExportDeps,
  build: {
    readonly job: BuildJob;
    readonly returned: ReturnedResult;
    session(): Promise<Session>;
  },
): Promise<ExportAnswer> {
  const { job, returned, session } = build;
  const refs = wantsInlineCache(job) ? returned.refs.map(withCache) : returned.refs;
  const request = provenanceRequest(job.order.frontendAttrs);
  const { platform: host, clock } = deps;
  const attest: Export['attest'] =
    request === undefined
      ? undefined
      : (names) => provenanceOf(job, request, { names, host, clock });
  const outputs = outputsOf(job).map(({ type, attrs }, index) => {
    const run = EXPORTERS.get(type);
    if (run === undefined) throw unknownExporter(type);
    const { progress, signal } = job;
    return {
      run,
      output: { index, type, attributes: attrs, refs, progress, session, signal, attest },
    };
  });
  const answer = new Map<string, string>();
  for (const { run, output } of outputs) {
    for (const [name, value] of await run(deps, output)) answer.set(name, value);
  }
  return answer;
}

function withCache(ref: ResultRef): ResultRef {
  return { ...ref, result: { ...ref.result, images: ref.result.images.map(withInlineCache) } };
}

/** Clients before 0.13 name their only output in another place. */
function outputsOf({ order }: BuildJob): BuildJob['order']['exporters'] {
  if (order.exporters.length > 0) return order.exporters;
  if (order.exporterType === '') return [];
  return [{ type: order.exporterType, attrs: order.exporterAttrs }];
}
