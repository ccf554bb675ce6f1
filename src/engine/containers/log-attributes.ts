/** What a log's lines carry beside the text: chosen labels and variables of the container, and its tag. */
import type { ContainerDocument } from './container-document.ts';

const SHORT_ID_CHARACTERS = 12;
const PLACEHOLDER = /\{\{\s*\.(\w+)\s*\}\}/g;

/** The attributes that the container's log options ask for; undefined when they ask for none. */
export function logAttributes(
  document: ContainerDocument,
): Readonly<Record<string, string>> | undefined {
  const options = document.hostConfig.LogConfig?.Config ?? {};
  const chosen = [
    ...choose(document.config.Labels ?? {}, options['labels'], options['labels-regex']),
    ...choose(environmentOf(document), options['env'], options['env-regex']),
  ];
  const { tag } = options;
  if (tag !== undefined && tag !== '') chosen.push(['tag', expandTag(tag, document)]);
  if (chosen.length === 0) return undefined;
  return Object.fromEntries(chosen.sort(([a], [b]) => (a < b ? -1 : 1)));
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
