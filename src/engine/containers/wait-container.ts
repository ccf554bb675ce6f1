/** `POST /containers/{id}/wait`. */
import type { WaitCondition, WaitResult } from '../../api/backends.ts';
import { EngineError } from '../../shared/errors.ts';
import type { ContainerDeps } from './container-deps.ts';
import type { ContainerDocument } from './container-document.ts';
import { lastExit } from './container-status.ts';

/** Registers the wait before it returns, so that a start that follows is never missed. */
export function waitContainer(
  deps: Pick<ContainerDeps, 'registry' | 'signals'>,
  wait: { readonly ref: string; readonly condition: WaitCondition },
  signal: AbortSignal,
): { readonly result: Promise<WaitResult> } {
  const document = deps.registry.resolve(wait.ref);
  if (wait.condition === 'not-running' && isAtRest(document)) {
    return { result: Promise.resolve({ exitCode: restingExitCode(document) }) };
  }
  const kinds =
    wait.condition === 'removed' ? (['removed'] as const) : (['settled', 'removed'] as const);
  const end = deps.signals.next(document.id, kinds, signal);
  return { result: end.then(toResult) };
}

function toResult(
  end: { readonly exitCode: number; readonly error: string } | undefined,
): WaitResult {
  if (end === undefined) throw new EngineError('cancelled', 'the client stopped waiting');
  return end.error === '' ? { exitCode: end.exitCode } : { ...end };
}

function isAtRest(document: ContainerDocument): boolean {
  return ['created', 'exited', 'dead'].includes(document.status.state);
}

function restingExitCode({ status }: ContainerDocument): number {
  if (status.state === 'created') return status.exitCode ?? 0;
  return lastExit(status)?.exitCode ?? 0;
}
