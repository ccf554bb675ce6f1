/** Variables, quotes and escapes in the words of a Dockerfile (Dockerfile reference, "Environment replacement"). */
import { EngineError } from '../shared/errors.ts';
import { expandModified } from './variable-forms.ts';

/** What words are expanded with. */
export interface Expansion {
  /** The value of a variable, undefined when it is not set. */
  lookup(name: string): string | undefined;
  readonly escapeChar: '\\' | '`';
  /** Hears of variables that are used without being set and without another value for that case. */
  onUnset?(name: string): void;
}

/** Expands variables and takes quotes and escapes away. `invalid-argument` with BuildKit's text for broken words. */
export function expandWord(word: string, expansion: Expansion): string {
  return new WordReader(word, expansion, 'take-away').read();
}

/** Expands variables alone; quotes are part of the text, as in heredocs. */
export function expandText(text: string, expansion: Expansion): string {
  return new WordReader(text, expansion, 'keep').read();
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
/** Parameters of shells, which have no meaning here. */
const SPECIAL = /[0-9@*#?$!-]/;

class WordReader {
  readonly #text: string;
  readonly #expansion: Expansion;
  readonly #quotes: 'keep' | 'take-away';
  #at = 0;

  constructor(text: string, expansion: Expansion, quotes: 'keep' | 'take-away') {
    this.#text = text;
    this.#expansion = expansion;
    this.#quotes = quotes;
  }

  read(): string {
    let result = '';
    while (this.#at < this.#text.length) result += this.#part();
    return result;
  }

  #part(): string {
    const char = this.#text[this.#at++] ?? '';
    if (char === '$') return this.#variable();
    if (char === this.#expansion.escapeChar) return this.#escaped();
    if (this.#quotes === 'keep') return char;
    if (char === "'") return this.#single();
    if (char === '"') return this.#double();
    return char;
  }

  #escaped(): string {
    const { escapeChar } = this.#expansion;
    const next = this.#text[this.#at];
    if (this.#quotes === 'keep') {
      if (next !== '$' && next !== escapeChar) return escapeChar;
      this.#at++;
      return next;
    }
    if (next === undefined) return '';
    this.#at++;
    return next;
  }

  #single(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0)
      throw this.#broken('unexpected end of statement while looking for matching single-quote');
    const content = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return content;
  }

  #double(): string {
    const { escapeChar } = this.#expansion;
    let content = '';
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at++] ?? '';
      if (char === '"') return content;
      if (char === '$') content += this.#variable();
      else if (char === escapeChar && ['"', '$', escapeChar].includes(this.#text[this.#at] ?? '')) {
        content += this.#text[this.#at++];
      } else content += char;
    }
    throw this.#broken('unexpected end of statement while looking for matching double-quote');
  }

  #variable(): string {
    if (this.#text[this.#at] === '{') {
      this.#at++;
      return this.#braced();
    }
    const name = this.#name();
    if (name !== '') return this.#value(name);
    const next = this.#text[this.#at] ?? '';
    if (!SPECIAL.test(next)) return '$';
    this.#at++;
    return this.#value(next);
  }

  #braced(): string {
    const name = this.#name();
    const next = this.#text[this.#at];
    if (name === '') {
      if (next === undefined) throw this.#broken("syntax error: missing '}'");
      throw this.#broken(next === '}' ? 'bad substitution' : 'syntax error: bad substitution');
    }
    if (next === '}') {
      this.#at++;
      return this.#value(name);
    }
    if (next === undefined) throw this.#broken("syntax error: missing '}'");
    const rest = this.#upToBrace();
    const { lookup } = this.#expansion;
    return expandModified({ name, value: lookup(name), modifier: rest }, (word) =>
      new WordReader(word, this.#expansion, this.#quotes).read(),
    );
  }

  /** The text up to the brace that ends this variable; takes the brace. */
  #upToBrace(): string {
    const start = this.#at;
    for (let depth = 1; this.#at < this.#text.length; this.#at++) {
      const char = this.#text[this.#at];
      if (char === this.#expansion.escapeChar) this.#at++;
      else if (char === '{' && this.#text[this.#at - 1] === '$') depth++;
      else if (char === '}' && --depth === 0) return this.#text.slice(start, this.#at++);
    }
    throw this.#broken("syntax error: missing '}'");
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const [name = ''] = NAME.exec(this.#text) ?? [];
    this.#at += name.length;
    return name;
  }

  #value(name: string): string {
    const value = this.#expansion.lookup(name);
    if (value === undefined) this.#expansion.onUnset?.(name);
    return value ?? '';
  }

  #broken(problem: string): EngineError {
    return new EngineError('invalid-argument', `failed to process "${this.#text}": ${problem}`);
  }
}
