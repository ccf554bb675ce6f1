/** What the engine and a thread that unpacks layers tell each other. Every request has one answer, in order. */
import { EngineError, type ErrorKind, findEngineError, messageOf } from '../../../shared/errors.ts';
import type { LayerToUnpack, UnpackedLayer } from '../../layer-unpacker.ts';
import type { WhiteoutFormat } from '../../snapshotter.ts';

/** To the thread; `id` names an unpacking. */
export type ThreadRequest = { readonly id: number } & (
  | {
      readonly op: 'begin';
      readonly slot: { readonly dir: string; readonly whiteouts: WhiteoutFormat };
      readonly layer: LayerToUnpack;
    }
  | { readonly op: 'write'; readonly chunk: Uint8Array }
  | { readonly op: 'finish' | 'abort' }
);

/** An error on its way between threads, which keep no classes. */
export interface SentError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

/** From the thread. */
export type ThreadAnswer = { readonly id: number } & (
  | { readonly error: SentError }
  | { readonly unpacked?: UnpackedLayer }
);

/** The error as a message. */
export function toSentError(error: unknown): SentError {
  const found = findEngineError(error);
  const { kind, details } = found ?? { kind: 'internal', details: {} };
  return { kind, message: messageOf(error), details };
}

/** The message as an error. */
export function fromSentError({ kind, message, details }: SentError): EngineError {
  return new EngineError(kind, message, { details });
}
