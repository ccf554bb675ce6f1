/** Provenance of images: SLSA's predicate 0.2 in an in-toto statement, in the words of BuildKit's documentation. */
import { digestHex } from '../../../oci/digest.ts';
import { formatPlatform, type Platform } from '../../../oci/platform.ts';
import { familiarName, type ImageReference } from '../../../oci/reference.ts';
import { type Clock, toIsoNano } from '../../../shared/clock.ts';
import type { BuiltImage } from '../../solver.ts';
import type { BuildJob } from '../build/build-job.ts';
import { parseBoolean } from '../frontend/frontend-options.ts';
import type { Attest } from './image-set.ts';

const PREDICATE = 'https://slsa.dev/provenance/v0.2';
const STATEMENT = 'https://in-toto.io/Statement/v0.1';
const BUILD_TYPE = 'https://mobyproject.org/buildkit@v1';

/** What a client asked for. */
export interface ProvenanceRequest {
  /** `max` also tells the values of build arguments and labels, and the Dockerfile. */
  readonly mode: 'min' | 'max';
  /** Of the predicate, as it was asked for; made is always 0.2. */
  readonly version: string;
  readonly builderId: string;
  readonly isReproducible: boolean;
}

/** Undefined when none is wanted: without a word of the client, and when it takes one along only where it costs nothing. */
export function provenanceRequest(
  options: ReadonlyMap<string, string>,
): ProvenanceRequest | undefined {
  const text = options.get('attest:provenance');
  if (text === undefined) return undefined;
  const fields = new Map(
    text.split(',').map((field) => {
      const at = field.indexOf('=');
      return at < 0 ? [field, 'true'] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  const isOn = (name: string) => parseBoolean(name, fields.get(name) ?? 'false');
  if (isOn('inline-only') || isOn('disabled')) return undefined;
  return {
    mode: fields.get('mode') === 'max' ? 'max' : 'min',
    version: fields.get('version') ?? 'v0.2',
    builderId: fields.get('builder-id') ?? '',
    isReproducible: isOn('reproducible'),
  };
}

/** Makes the statements of a build. */
export function provenanceOf(
  job: BuildJob,
  request: ProvenanceRequest,
  about: {
    readonly names: readonly ImageReference[];
    /** Where the build ran. */
    readonly host: Platform;
    readonly clock: Clock;
  },
): Attest {
  return (image, manifest) => {
    const sha256 = digestHex(manifest);
    const statement = {
      _type: STATEMENT,
      predicateType: PREDICATE,
      subject: subjectsOf(about.names, image.platform).map((name) => ({
        name,
        digest: { sha256 },
      })),
      predicate: predicateOf(job, request, { image, ...about }),
    };
    return { predicateType: PREDICATE, statement: Buffer.from(JSON.stringify(statement)) };
  };
}

/** Package URLs of the image's names; `_` for one without a name. */
function subjectsOf(names: readonly ImageReference[], platform: Platform): readonly string[] {
  if (names.length === 0) return ['_'];
  return names.map((name) => imageUrl(name, platform));
}

function imageUrl(reference: ImageReference, platform: Platform): string {
  const shown = encodeURIComponent(formatPlatform(platform));
  const tag = reference.tag === undefined ? '' : `@${reference.tag}`;
  return `pkg:docker/${familiarName(reference)}${tag}?platform=${shown}`;
}

function predicateOf(
  job: BuildJob,
  { mode, builderId, isReproducible }: ProvenanceRequest,
  {
    image,
    host,
    clock,
  }: { readonly image: BuiltImage; readonly host: Platform; readonly clock: Clock },
): object {
  const { order, startedAt } = job;
  const options = order.frontendAttrs;
  const isMax = mode === 'max';
  return {
    builder: { id: builderId },
    buildType: BUILD_TYPE,
    materials: image.materials.map(({ reference, digest }) => ({
      uri: imageUrl(reference, image.platform),
      digest: { sha256: digestHex(digest) },
    })),
    invocation: {
      configSource: configSource(options),
      parameters: parametersOf(options, isMax),
      environment: { platform: formatPlatform(host) },
    },
    metadata: {
      buildInvocationID: order.ref,
      buildStartedOn: toIsoNano(startedAt),
      buildFinishedOn: clock.nowIso(),
      completeness: { parameters: isMax, environment: true, materials: false },
      reproducible: isReproducible,
      [`${BUILD_TYPE}#metadata`]: { ...vcsOf(options), ...(isMax ? sourceOf(job) : {}) },
    },
  };
}

/** The repository that the context is, or only the Dockerfile's name for directories of the client. */
function configSource(options: ReadonlyMap<string, string>): object {
  const context = options.get('context') ?? '';
  const entryPoint = options.get('filename') ?? 'Dockerfile';
  return /^(?:https?|git|ssh):\/\/(?!buildkit-session\/)/.test(context)
    ? { uri: context, entryPoint }
    : { entryPoint };
}

/** Options that say what somebody keeps to themselves go into `max` only. */
const PRIVATE = /^(?:build-arg:|label:|context:|vcs:|attest:|cache-imports$|cache-from$)/;
/** Told elsewhere, or of no meaning for the result. */
const LEFT_OUT =
  /^(?:vcs:|attest:|cache-imports$|cache-from$|context$|filename$|source$|cmdline$|local-sessionid:)/;

function parametersOf(options: ReadonlyMap<string, string>, isMax: boolean): object {
  const args = [...options].filter(
    ([name]) => !LEFT_OUT.test(name) && (isMax || !PRIVATE.test(name)),
  );
  return {
    frontend: 'dockerfile.v0',
    ...(args.length === 0 ? {} : { args: Object.fromEntries(args) }),
    ...(options.has('context') ? {} : { locals: [{ name: 'context' }, { name: 'dockerfile' }] }),
  };
}

function vcsOf(options: ReadonlyMap<string, string>): object {
  const [source, revision] = [options.get('vcs:source'), options.get('vcs:revision')];
  if (source === undefined && revision === undefined) return {};
  return { vcs: { ...(source && { source }), ...(revision && { revision }) } };
}

function sourceOf({ dockerfile }: BuildJob): object {
  if (dockerfile === undefined) return {};
  const data = Buffer.from(dockerfile.text).toString('base64');
  return { source: { infos: [{ filename: dockerfile.name, language: 'Dockerfile', data }] } };
}
