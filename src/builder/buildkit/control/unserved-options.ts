/** What a client asked for and does not get, as sentences: nothing of an order is ignored in silence. */
import type { SolveOrder } from '../build/build-job.ts';
import { type ProvenanceRequest, provenanceRequest } from '../export/provenance.ts';

/** Options of outputs that would change what is written. */
const OUTPUT_OPTIONS =
  /^(?:compression(?:-level)?|force-compression|oci-mediatypes|oci-artifact|rewrite-timestamp|name-canonical|dangling-name-prefix|annotation.*|mode|buildinfo.*)$/;

/** Options of cache exports that would. */
const CACHE_OPTIONS = /^(?:compression(?:-level)?|force-compression|oci-mediatypes|registry\..*)$/;
const CACHE_AS_DONE: ReadonlyMap<string, string> = new Map([
  ['compression', 'gzip'],
  ['force-compression', 'false'],
  ['oci-mediatypes', 'true'],
  ['registry.insecure', 'false'],
]);

/** Values that say what is done anyway. */
const AS_DONE: ReadonlyMap<string, string> = new Map([
  ['compression', 'uncompressed'],
  ['force-compression', 'false'],
  ['rewrite-timestamp', 'false'],
  ['oci-mediatypes', 'true'],
  ['mode', 'copy'],
]);

/** Outputs that have no place for what is said about an image. */
const WITHOUT_ATTESTATIONS: readonly string[] = ['docker', 'local', 'tar'];

export function unservedOptions(order: SolveOrder): readonly string[] {
  const options = order.frontendAttrs;
  const provenance = provenanceRequest(options);
  const hostname = options.get('hostname') ?? options.get('build-arg:BUILDKIT_SANDBOX_HOSTNAME');
  return [
    ...(provenance === undefined ? [] : unservedProvenance(order, provenance)),
    ...(order.cache?.exports ?? []).flatMap(({ type, attrs }) =>
      [...attrs].flatMap(([name, value]) =>
        CACHE_OPTIONS.test(name) && CACHE_AS_DONE.get(name) !== value
          ? [`option ${name}=${value} of the cache export ${type} has no effect`]
          : [],
      ),
    ),
    ...(hostname === undefined ? [] : ['the host name of build containers cannot be chosen']),
    ...order.exporters.flatMap(({ type, attrs }) =>
      [...attrs].flatMap(([name, value]) =>
        OUTPUT_OPTIONS.test(name) && AS_DONE.get(name) !== value
          ? [`option ${name}=${value} of output ${type} has no effect`]
          : [],
      ),
    ),
  ];
}

function unservedProvenance(
  { exporters }: SolveOrder,
  asked: ProvenanceRequest,
): readonly string[] {
  const without = exporters.filter(({ type }) => WITHOUT_ATTESTATIONS.includes(type));
  return [
    ...(asked.version === 'v1' ? ['provenance has the form of SLSA 0.2, not that of 1'] : []),
    ...without.map(({ type }) => `the ${type} output has no place for provenance attestations`),
  ];
}
