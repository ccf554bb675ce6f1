/** What can go wrong inside of the virtual machine. */
import { EngineError } from '../shared/errors.ts';

/** The machine was started without the channel. */
export const noSuchPort = (name: string) =>
  new EngineError('not-found', `this machine has no port ${name}`);

/** The host asks for something that this guest does not know. */
export const unknownTarget = (target: string) =>
  new EngineError('not-implemented', `the guest knows no ${target}`);
