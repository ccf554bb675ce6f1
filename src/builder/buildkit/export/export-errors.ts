/** Errors of outputs. */
import { EngineError } from '../../../shared/errors.ts';

export const unknownExporter = (type: string) =>
  new EngineError('invalid-argument', `exporter "${type}" could not be found`);

export const nothingToExport = () =>
  new EngineError('invalid-argument', 'no result of the build to export');

/** An output that holds one image, for a build of several platforms. */
export const onePlatformOnly = (type: string, count: number) =>
  new EngineError(
    'not-implemented',
    `the ${type} output holds one platform and the build has ${count}: use --output type=oci, or one build for each platform`,
  );

export const invalidName = (name: string, problem: string) =>
  new EngineError('invalid-argument', `failed to parse ${name}: ${problem}`);

/** Only what has a name can be pushed. */
export const nameToPush = () =>
  new EngineError('invalid-argument', 'tag is needed when pushing to registry');

/** An option that would change the result and is not served. */
export const unsupportedOption = (option: string, value: string) =>
  new EngineError('not-implemented', `output option ${option}=${value} is not supported`);

/** A registry's refusal, as the lines of the push tell it. */
export const pushFailed = (name: string, problem: string, cause?: unknown) =>
  new EngineError('internal', `failed to push ${name}: ${problem}`, { cause });
