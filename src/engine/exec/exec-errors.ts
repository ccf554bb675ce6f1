/** Errors of exec sessions, with Docker's texts. */
import { EngineError } from '../../shared/errors.ts';

export const noSuchExec = (id: string) =>
  new EngineError('not-found', `No such exec instance: ${id}`);

export const execAlreadyStarted = (id: string) =>
  new EngineError('conflict', `exec command ${id} is already running`);

export const execHasRun = (id: string) =>
  new EngineError('conflict', `exec command ${id} has already run`);

export const execNotRunning = (id: string) =>
  new EngineError('conflict', `exec session ${id} is not running`);
