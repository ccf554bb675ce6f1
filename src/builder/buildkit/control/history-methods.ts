/** Methods of `docker buildx history`. */
import { type ServedMethod, serverStream, unary } from '../grpc/service.ts';
import {
  BuildHistoryEvent,
  BuildHistoryRequest,
  Empty,
  UpdateBuildHistoryRequest,
} from '../proto/control.ts';
import type { BuildHistory } from './build-history.ts';

const CONTROL = '/moby.buildkit.v1.Control';

export function historyMethods(history: BuildHistory): ReadonlyMap<string, ServedMethod> {
  return new Map([
    [
      `${CONTROL}/ListenBuildHistory`,
      serverStream({ request: BuildHistoryRequest, response: BuildHistoryEvent }, (request, call) =>
        history.listen(request, call.signal),
      ),
    ],
    [
      `${CONTROL}/UpdateBuildHistory`,
      unary({ request: UpdateBuildHistoryRequest, response: Empty }, (request) => {
        history.update(request);
        return {};
      }),
    ],
  ]);
}
