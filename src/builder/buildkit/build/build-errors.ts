/** Errors of builds that clients drive. */
import { EngineError } from '../../../shared/errors.ts';

export const unknownJob = (ref: string) => new EngineError('not-found', `no such job ${ref}`);

export const jobExists = (ref: string) =>
  new EngineError('conflict', `job ID ${ref} already exists`);

export const noBuildId = () => new EngineError('invalid-argument', 'no buildid found in context');

export const unknownRef = (id: string) => new EngineError('not-found', `no such ref: ${id}`);

/** Graphs of operations of the client's own making. */
export const graphsNotRun = () =>
  new EngineError(
    'not-implemented',
    'this builder runs Dockerfiles only, and no LLB definitions of the client',
  );

export const unknownFrontend = (name: string) =>
  new EngineError(
    'not-implemented',
    `frontend ${name} is not supported: this builder runs Dockerfiles`,
  );
