/** What can go wrong on the channel between host and guest. */
import { EngineError } from '../shared/errors.ts';

/** The channel ended, or the other side was started anew, while a stream was open. */
export const channelCut = (cause?: unknown) =>
  new EngineError('unavailable', 'the connection to the virtual machine was cut', { cause });

/** The other side gave a stream up; `reason` is its own. */
export const streamRefused = (reason: string) => new EngineError('unavailable', reason);

/** The other side breaks the rules of the channel. */
export const channelMisused = (problem: string) =>
  new EngineError('internal', `the channel to the virtual machine: ${problem}`);

/** A request or an answer that cannot be understood. */
export const badRequest = (text: string, cause: unknown) =>
  new EngineError('corrupt', `the channel carries no request: ${text.slice(0, 100)}`, { cause });
