/** What a client asked for and does not get, as sentences: nothing of an order is ignored in silence. */
import type { SolveOrder } from '../build/build-job.ts';

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

/** Clients ask for this provenance by themselves; the image store keeps no attestations beside images. */
const PROVENANCE_BY_DEFAULT = /inline-only=true/;

export function unservedOptions(order: SolveOrder): readonly string[] {
  const options = order.frontendAttrs;
  const provenance = options.get('attest:provenance');
  const isAsked = provenance !== undefined && !PROVENANCE_BY_DEFAULT.test(provenance);
  const hostname = options.get('hostname') ?? options.get('build-arg:BUILDKIT_SANDBOX_HOSTNAME');
  return [
    ...(isAsked ? ['provenance attestations are not made'] : []),
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
