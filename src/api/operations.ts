/** Every operation of API 1.51, in the order of Docker's reference, and what clients call beside it. */
import type { Action, Handlers, Method, Route } from './route-table.ts';
import { buildCacheHandlers } from './routes/build-cache.ts';
import { buildClientHandlers } from './routes/build-clients.ts';
import { buildHandlers } from './routes/builds.ts';
import { containerFileHandlers } from './routes/container-files.ts';
import { containerObservationHandlers } from './routes/container-observation.ts';
import { containerStdioHandlers } from './routes/container-stdio.ts';
import { containerHandlers } from './routes/containers.ts';
import { execHandlers } from './routes/exec.ts';
import { imageArchiveHandlers } from './routes/image-archives.ts';
import { imageHandlers } from './routes/images.ts';
import { networkHandlers } from './routes/networks.ts';
import { registryLimitsHandlers } from './routes/registry-limits.ts';
import { storageCheckHandlers } from './routes/storage-check.ts';
import { systemHandlers } from './routes/system.ts';
import { volumeHandlers } from './routes/volumes.ts';

/** `METHOD /path`, followed by the version that introduced the operation when it is after 1.24. */
const DOCUMENTED = `
GET /containers/json
POST /containers/create
GET /containers/{id}/json
GET /containers/{id}/top
GET /containers/{id}/logs
GET /containers/{id}/changes
GET /containers/{id}/export
GET /containers/{id}/stats
POST /containers/{id}/resize
POST /containers/{id}/start
POST /containers/{id}/stop
POST /containers/{id}/restart
POST /containers/{id}/kill
POST /containers/{id}/update
POST /containers/{id}/rename
POST /containers/{id}/pause
POST /containers/{id}/unpause
POST /containers/{id}/attach
GET /containers/{id}/attach/ws
POST /containers/{id}/wait
DELETE /containers/{id}
HEAD /containers/{id}/archive
GET /containers/{id}/archive
PUT /containers/{id}/archive
POST /containers/prune 1.25
GET /images/json
POST /build
POST /build/prune 1.31
POST /images/create
GET /images/{name}/json
GET /images/{name}/history
POST /images/{name}/push
POST /images/{name}/tag
DELETE /images/{name}
GET /images/search
POST /images/prune 1.25
POST /auth
GET /info
GET /version
GET /_ping
HEAD /_ping 1.40
POST /commit
GET /events
GET /system/df 1.25
GET /images/{name}/get
GET /images/get
POST /images/load
POST /containers/{id}/exec
POST /exec/{id}/start
POST /exec/{id}/resize
GET /exec/{id}/json
GET /volumes
POST /volumes/create
GET /volumes/{name}
PUT /volumes/{name} 1.42
DELETE /volumes/{name}
POST /volumes/prune 1.25
GET /networks
GET /networks/{id}
DELETE /networks/{id}
POST /networks/create
POST /networks/{id}/connect
POST /networks/{id}/disconnect
POST /networks/prune 1.25
GET /plugins 1.25
GET /plugins/privileges 1.25
POST /plugins/pull 1.25
GET /plugins/{name}/json 1.25
DELETE /plugins/{name} 1.25
POST /plugins/{name}/enable 1.25
POST /plugins/{name}/disable 1.25
POST /plugins/{name}/upgrade 1.26
POST /plugins/create 1.25
POST /plugins/{name}/push 1.25
POST /plugins/{name}/set 1.25
GET /nodes
GET /nodes/{id}
DELETE /nodes/{id}
POST /nodes/{id}/update
GET /swarm
POST /swarm/init
POST /swarm/join
POST /swarm/leave
POST /swarm/update
GET /swarm/unlockkey
POST /swarm/unlock
GET /services
POST /services/create
GET /services/{id}
DELETE /services/{id}
POST /services/{id}/update
GET /services/{id}/logs 1.29
GET /tasks
GET /tasks/{id}
GET /tasks/{id}/logs 1.29
GET /secrets 1.25
POST /secrets/create 1.25
GET /secrets/{id} 1.25
DELETE /secrets/{id} 1.25
POST /secrets/{id}/update 1.25
GET /configs 1.30
POST /configs/create 1.30
GET /configs/{id} 1.30
DELETE /configs/{id} 1.30
POST /configs/{id}/update 1.30
GET /distribution/{name}/json 1.30
POST /session 1.31
`;

const UNDOCUMENTED = `
POST /build/cancel 1.39
POST /grpc 1.39
GET /containers/{id}/checkpoints 1.25
POST /containers/{id}/checkpoints 1.25
DELETE /containers/{id}/checkpoints/{checkpoint} 1.25
POST /wherry/storage/check
GET /wherry/registries/limits
OPTIONS /{anything}
`;

const HANDLERS: Handlers = {
  ...containerHandlers,
  ...containerObservationHandlers,
  ...containerStdioHandlers,
  ...containerFileHandlers,
  ...execHandlers,
  ...imageHandlers,
  ...imageArchiveHandlers,
  ...buildHandlers,
  ...volumeHandlers,
  ...networkHandlers,
  ...systemHandlers,
  ...buildClientHandlers,
  ...buildCacheHandlers,
  ...registryLimitsHandlers,
  ...storageCheckHandlers,
};

const SWARM = /^\/(?:swarm|nodes|services|tasks|secrets|configs)(?:\/|$)/;

/** The table itself. */
export const OPERATIONS: readonly Route[] = [
  ...parse(DOCUMENTED),
  ...parse(UNDOCUMENTED).map((route) => ({ ...route, undocumented: true as const })),
];

function parse(lines: string): Route[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => {
      const [method = '', path = '', since = '1.24'] = line.split(' ');
      return { method: method as Method, path, since, action: actionOf(method, path) };
    });
}

function actionOf(method: string, path: string): Action {
  const key = `${method} ${path}`;
  const action = Object.hasOwn(HANDLERS, key) ? HANDLERS[key as keyof Handlers] : undefined;
  return action ?? { kind: SWARM.test(path) ? 'swarm-inactive' : 'not-implemented' };
}
