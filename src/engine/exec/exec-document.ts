/** An exec session as kept in memory: sessions end with the engine's knowledge of them, as in Docker. */
import type { ContainerId, ExecId } from '../../shared/ids.ts';
import type { CreateExecRequest } from './create-exec-request.ts';

export type ExecStatus =
  | { readonly state: 'created' }
  | { readonly state: 'starting' }
  | { readonly state: 'running'; readonly pid: number }
  | { readonly state: 'exited'; readonly exitCode: number };

export interface ExecDocument {
  readonly id: ExecId;
  readonly containerId: ContainerId;
  readonly request: CreateExecRequest;
  readonly status: ExecStatus;
}
