/** Our own operation behind `wherry doctor`: what registries have said of their limits. */
import { REGISTRY_LIMITS_PATH } from '../../handshake/registry-limits.ts';
import type { Handler } from '../context.ts';
import { answer, type Handlers } from '../route-table.ts';

const limits: Handler = (c, { backends }) => c.json(backends.images.registryLimits());

export const registryLimitsHandlers: Handlers = { [`GET ${REGISTRY_LIMITS_PATH}`]: answer(limits) };
