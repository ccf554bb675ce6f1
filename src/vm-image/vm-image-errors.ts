/** What can go wrong with the image of the virtual machine. */
import { EngineError } from '../shared/errors.ts';

/** The recipe or its pins are not what this program understands. */
export const badRecipe = (path: string, problem: string, cause?: unknown) =>
  new EngineError('invalid-argument', `${path}: ${problem}`, { cause });

/** A download is not what was pinned; nothing of it was used. */
export const wrongDigest = (url: string, expected: string, found: string) =>
  new EngineError('corrupt', `${url} has the digest ${found}, not ${expected}`);

/** A server does not have what was asked for. `status` is that of HTTP. */
export const notServed = (url: string, status: number) =>
  new EngineError(
    'unavailable',
    `${url}: the server answered ${status}; name another archive with --archive or --npm-registry`,
  );

/** A package, program, library or module that cannot be read. */
export const damagedInput = (what: string, problem: string, cause?: unknown) =>
  new EngineError('corrupt', `${what}: ${problem}`, { cause });

/** The recipe wants something that none of its packages has. */
export const notInPackages = (what: string, wantedBy: string) =>
  new EngineError(
    'invalid-argument',
    `no package of the recipe has ${what}, which ${wantedBy} needs`,
  );

/** A published image does not fit. */
export const badPublishedImage = (url: string, problem: string, cause?: unknown) =>
  new EngineError('corrupt', `${url}: ${problem}`, { cause });

/** There are images for some kinds of processors only. */
export const unknownArchitecture = (name: string, known: readonly string[]) =>
  new EngineError('invalid-argument', `no image for ${name}: use ${known.join(' or ')}`);
