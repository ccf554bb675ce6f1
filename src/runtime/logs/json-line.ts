/** Lines of Docker's `json-file`: `{"log":"…","stream":"…","attrs":{…},"time":"…"}`. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const FIRST_PRINTABLE = 0x20;
const LAST_ASCII = 0x7e;
/** What Go's encoder escapes besides JSON's own, as programs that read the file expect it. */
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;
const HTML = new Set([...'<>&'].map((character) => character.charCodeAt(0)));
/** Which bytes stand for themselves within a JSON text. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= FIRST_PRINTABLE &&
  byte <= LAST_ASCII &&
  byte !== QUOTE &&
  byte !== BACKSLASH &&
  !HTML.has(byte)
    ? 1
    : 0,
);

/** One message of a container. */
export interface Message {
  /** RFC 3339. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  readonly data: Uint8Array;
}

/** Encodes messages with the same attributes. */
export class JsonLineEncoder {
  readonly #middle: Readonly<Record<'stdout' | 'stderr', string>>;

  constructor(attributes?: Readonly<Record<string, string>>) {
    const attrs = attributes === undefined ? '' : `"attrs":${escapeAsGo(attributes)},`;
    const middle = (stream: string) => `","stream":"${stream}",${attrs}"time":"`;
    this.#middle = { stdout: middle('stdout'), stderr: middle('stderr') };
  }

  /** The line, its newline included. */
  encode({ time, stream, data }: Message): string {
    return `{"log":"${encodeText(data)}${this.#middle[stream]}${shortTime(time)}"}\n`;
  }
}

function encodeText(data: Uint8Array): string {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const endsLine = bytes.at(-1) === NEWLINE;
  const length = endsLine ? bytes.length - 1 : bytes.length;
  const end = endsLine ? '\\n' : '';
  for (let at = 0; at < length; at++) {
    if (PLAIN[bytes[at] ?? 0] === 0) {
      return escapeAsGo(bytes.toString('utf8', 0, length)).slice(1, -1) + end;
    }
  }
  return bytes.toString('latin1', 0, length) + end;
}

function escapeAsGo(value: unknown): string {
  return JSON.stringify(value).replace(
    ESCAPED_BY_GO,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Go leaves the zeros at the end of a fraction out. */
function shortTime(time: string): string {
  return time.endsWith('0Z') ? time.replace(/\.?0+Z$/, 'Z') : time;
}
