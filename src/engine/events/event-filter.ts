/** Which events a client of `/events` asked for (Engine API, `SystemEvents`, filters). */
import type { Filters } from '../../wire/filters.ts';
import { invalidFilter } from '../../wire/wire-errors.ts';
import type { EngineEvent } from './engine-event.ts';

type Match = (event: EngineEvent, value: string) => boolean;

const byId =
  (type: EngineEvent['type']): Match =>
  (event, value) =>
    event.type === type && (event.actorId.startsWith(value) || event.attributes['name'] === value);

const MATCHERS: Readonly<Record<string, Match>> = {
  type: (event, value) => event.type === value,
  event: (event, value) => event.action === value || event.action.startsWith(`${value}:`),
  container: byId('container'),
  volume: byId('volume'),
  network: byId('network'),
  daemon: byId('daemon'),
  image: matchesImage,
  label: matchesLabel,
  scope: (_event, value) => value === 'local',
  plugin: () => false,
  service: () => false,
  node: () => false,
  secret: () => false,
  config: () => false,
};

function matchesImage(event: EngineEvent, value: string): boolean {
  const name = event.type === 'image' ? event.attributes['name'] : event.attributes['image'];
  const withoutTag = name?.replace(/:[^:/]*$/, '');
  return (
    name === value || withoutTag === value || (event.type === 'image' && event.actorId === value)
  );
}

function matchesLabel(event: EngineEvent, value: string): boolean {
  const at = value.indexOf('=');
  if (at < 0) return value in event.attributes;
  return event.attributes[value.slice(0, at)] === value.slice(at + 1);
}

/**
 * A predicate for the given filters: values of one filter are alternatives, filters are joined by "and",
 * except `label`, whose values must all match. Unknown filter names are `invalid-argument`.
 */
export function eventPredicate(filters: Filters): (event: EngineEvent) => boolean {
  const tests: ((event: EngineEvent) => boolean)[] = [];
  for (const [name, values] of filters) {
    const match = MATCHERS[name];
    if (match === undefined) throw invalidFilter(name);
    tests.push(
      name === 'label'
        ? (event) => values.every((value) => match(event, value))
        : (event) => values.some((value) => match(event, value)),
    );
  }
  return (event) => tests.every((test) => test(event));
}
