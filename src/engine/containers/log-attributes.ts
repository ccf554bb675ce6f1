/** What a log's lines carry beside the text: chosen labels and variables of the container, and its tag. */
import type { ContainerDocument } from './container-document.ts';
import { writesToJournal } from './log-drivers.ts';

const SHORT_ID_CHARACTERS = 12;
const DEFAULT_TAG = '{{.ID}}';
const PLACEHOLDER = /\{\{\s*\.(\w+)\s*\}\}/g;

/** The attributes that the container's log options ask for; undefined when they ask for none. */
export function logAttributes(
  document: ContainerDocument,
): Readonly<Record<string, string>> | undefined {
  const chosen = chosenValues(document);
  const { tag } = optionsOf(document);
  if (tag !== undefined && tag !== '') chosen.push(['tag', expandTag(tag, document)]);
  if (chosen.length === 0) return undefined;
  return Object.fromEntries(chosen.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The same as fields of a journal, whose names have capitals, digits and underscores, and never begin with one. */
export function journalAttributes(document: ContainerDocument): Readonly<Record<string, string>> {
  const fields = chosenValues(document).map(([name, value]): [string, string] => [
    name
      .toUpperCase()
      .replace(/[^A-Z0-9]/g, '_')
      .replace(/^_+/, ''),
    value,
  ]);
  return Object.fromEntries(fields.filter(([name]) => name !== ''));
}

/** What `docker logs --details` tells. */
export function shownAttributes(
  document: ContainerDocument,
): Readonly<Record<string, string>> | undefined {
  return writesToJournal(document.hostConfig.LogConfig)
    ? journalAttributes(document)
    : logAttributes(document);
}

/** The name of the container in logs of others: its option `tag`, by default the short id. */
export function logTag(document: ContainerDocument): string {
  return expandTag(optionsOf(document)['tag'] || DEFAULT_TAG, document);
}

function optionsOf({ hostConfig }: ContainerDocument): Readonly<Record<string, string>> {
  return hostConfig.LogConfig?.Config ?? {};
}

function chosenValues(document: ContainerDocument): (readonly [string, string])[] {
  const options = optionsOf(document);
  return [
    ...choose(document.config.Labels ?? {}, options['labels'], options['labels-regex']),
    ...choose(environmentOf(document), options['env'], options['env-regex']),
  ];
}

/** As `details` shows them: `a=b,c=d`, escaped like the values of a query. */
export function detailsText(attributes: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(attributes ?? {})
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join(',');
}

function choose(
  values: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): (readonly [string, string])[] {
  const wanted = new Set(names?.split(','));
  const fits = pattern === undefined || pattern === '' ? undefined : new RegExp(pattern);
  return Object.entries(values).filter(([name]) => wanted.has(name) || fits?.test(name) === true);
}

function environmentOf({ config }: ContainerDocument): Readonly<Record<string, string>> {
  return Object.fromEntries(
    (config.Env ?? []).map((line) => {
      const [name = '', ...value] = line.split('=');
      return [name, value.join('=')];
    }),
  );
}

function expandTag(template: string, document: ContainerDocument): string {
  const imageHex = document.imageId.replace(/^sha256:/, '');
  const values: Readonly<Record<string, string>> = {
    ID: document.id.slice(0, SHORT_ID_CHARACTERS),
    FullID: document.id,
    Name: document.name,
    ImageID: imageHex.slice(0, SHORT_ID_CHARACTERS),
    ImageFullID: document.imageId,
    ImageName: document.imageRef,
    DaemonName: 'docker',
  };
  return template.replace(PLACEHOLDER, (whole, name: string) => values[name] ?? whole);
}
