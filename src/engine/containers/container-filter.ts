/** Which containers `GET /containers/json` lists. */
import { assertKnownFilters, type Filters } from '../../wire/filters.ts';
import { invalidFilterValue } from '../../wire/wire-errors.ts';
import { matchesLabels } from '../label-filter.ts';
import type { ContainerDocument } from './container-document.ts';
import { lastExit, liveStatus } from './container-status.ts';

/** Docker's words for the state of a container. */
export type WireState =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead';

/** The state as clients see it. */
export function wireState({ status }: ContainerDocument): WireState {
  switch (status.state) {
    case 'starting':
      return status.before;
    case 'stopping':
      return 'running';
    default:
      return status.state;
  }
}

export interface FilterContext {
  /** Resolves a container reference for `before` and `since`; throws `not-found`. */
  readonly resolve: (ref: string) => ContainerDocument;
  /** Whether the container's image is, or descends from, the image that `ref` names. */
  readonly hasAncestor: (document: ContainerDocument, ref: string) => boolean;
}

type Test = (document: ContainerDocument, value: string, context: FilterContext) => boolean;

const TESTS: Readonly<Record<string, Test>> = {
  id: (document, value) => document.id.startsWith(value),
  name: (document, value) => nameMatches(document.name, value),
  status: (document, value) => wireState(document) === value,
  exited: (document, value) =>
    document.status.state === 'exited' && lastExit(document.status)?.exitCode === Number(value),
  ancestor: (document, value, context) => context.hasAncestor(document, value),
  before: (document, value, context) => document.createdAt < context.resolve(value).createdAt,
  since: (document, value, context) => document.createdAt > context.resolve(value).createdAt,
  volume: (document, value) =>
    document.mounts.some((mount) => mount.name === value || mount.destination === value),
  network: (document, value) => onNetwork(document, value),
  publish: (document, value) => publishes(document, value),
  expose: (document, value) => exposes(document, value),
  health: (document, value) => (document.health?.status ?? 'none') === value,
  'is-task': (_document, value) => value === 'false',
  isolation: () => true,
};

const HEALTHS = ['none', 'starting', 'healthy', 'unhealthy'];
const STATES = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'];

/** A predicate for the filters: alternatives within one filter, "and" between them and among labels. */
export function containerPredicate(
  filters: Filters,
  context: FilterContext,
): (document: ContainerDocument) => boolean {
  checkFilters(filters);
  return (document) => {
    if (!matchesLabels(document.config.Labels ?? {}, filters)) return false;
    return [...filters].every(([name, values]) => {
      const test = TESTS[name];
      return test === undefined || values.some((value) => test(document, value, context));
    });
  };
}

/** True when the filters by themselves ask for containers that do not run. */
export function impliesAll(filters: Filters): boolean {
  return ['status', 'exited', 'before', 'since'].some((name) => filters.has(name));
}

function checkFilters(filters: Filters): void {
  assertKnownFilters(filters, ['label', ...Object.keys(TESTS)]);
  for (const [name, values] of filters) {
    if (!values.every((value) => isValidValue(name, value))) throw invalidFilterValue(name, values);
  }
}

function isValidValue(name: string, value: string): boolean {
  if (name === 'status') return STATES.includes(value);
  if (name === 'health') return HEALTHS.includes(value);
  if (name === 'exited') return /^-?\d+$/.test(value);
  if (name === 'name') return isRegularExpression(value);
  if (name === 'publish' || name === 'expose') return PORT_RANGE.test(value);
  if (name === 'is-task') return ['true', 'false', '0', '1'].includes(value);
  return true;
}

function isRegularExpression(text: string): boolean {
  try {
    return new RegExp(text) !== undefined;
  } catch {
    return false;
  }
}

function nameMatches(name: string, pattern: string): boolean {
  const expression = new RegExp(pattern);
  return expression.test(`/${name}`) || expression.test(name);
}

function onNetwork(document: ContainerDocument, value: string): boolean {
  if (document.hostConfig.NetworkMode === value) return true;
  const endpoints = liveStatus(document.status)?.network?.endpoints ?? [];
  return endpoints.some((one) => one.networkName === value || one.networkId.startsWith(value));
}

function publishes(document: ContainerDocument, value: string): boolean {
  const published = liveStatus(document.status)?.network?.published ?? [];
  return published.some((port) => inRange(value, port.containerPort, port.protocol));
}

function exposes(document: ContainerDocument, value: string): boolean {
  return Object.keys(document.config.ExposedPorts ?? {}).some((text) => {
    const [port = '', protocol = 'tcp'] = text.split('/');
    return inRange(value, Number(port), protocol);
  });
}

/** `8080`, `8080/udp`, `8000-8080/tcp`. */
const PORT_RANGE = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/;

function inRange(value: string, port: number, protocol: string): boolean {
  const [, from, to, wanted = 'tcp'] = PORT_RANGE.exec(value) ?? [];
  const first = Number(from);
  return port >= first && port <= Number(to ?? first) && protocol === wanted;
}
