/** From text to instructions: comments, continued lines, heredocs. */
import { noInstructions, parseError } from './dockerfile-errors.ts';
import { readDirectives } from './read-directives.ts';
import type { Directives, Heredoc, SourceFile, SourceInstruction } from './source-instruction.ts';

/** Instructions (also behind ONBUILD) that take heredocs. */
const TAKES_HEREDOCS = /^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s/i;
const HEREDOC = /^(\d*)<<(-?)\s*(['"]?)([^<'"\s]+)\3$/;
/** A stretch without white space; quoted parts may have it. */
const WORDS = /(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\]|\\$)+/gs;

/** Takes a Dockerfile apart. `invalid-argument`, with the place, for one without instructions or with an open heredoc. */
export function readSource(text: string): SourceFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const directives = readDirectives(lines);
  const instructions = new SourceReader(lines, directives).read();
  if (instructions.length === 0) throw noInstructions();
  return { directives, instructions };
}

/** A heredoc that an instruction announces. */
type Announced = Omit<Heredoc, 'content'>;

class SourceReader {
  readonly #lines: readonly string[];
  readonly #continues: RegExp;
  #next = 0;
  #comments: string[] = [];

  constructor(lines: readonly string[], { escapeChar }: Directives) {
    this.#lines = lines;
    // An escape that is escaped itself does not continue the line.
    this.#continues = escapeChar === '`' ? /(?<!`)`[ \t]*$/ : /(?<!\\)\\[ \t]*$/;
  }

  read(): readonly SourceInstruction[] {
    const instructions: SourceInstruction[] = [];
    while (this.#next < this.#lines.length) {
      const instruction = this.#instruction();
      if (instruction !== undefined) instructions.push(instruction);
    }
    return instructions;
  }

  #instruction(): SourceInstruction | undefined {
    const startLine = this.#next + 1;
    const first = (this.#lines[this.#next++] ?? '').trimStart();
    if (first.startsWith('#')) {
      this.#comments.push(first.slice(1).trim());
      return undefined;
    }
    if (first.trim() === '') {
      this.#comments = [];
      return undefined;
    }
    const joined = this.#continued(first);
    const line = joined.text.trim();
    const comments = this.#comments;
    this.#comments = [];
    if (line === '') return undefined;
    const heredocs = this.#heredocs(line, startLine);
    const [, keyword = '', text = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? [];
    const range = { startLine, endLine: Math.max(startLine, this.#next - joined.trailing) };
    const { hasEmptyContinuation } = joined;
    return { keyword, text, heredocs, range, comments, hasEmptyContinuation };
  }

  /** Joins the lines that follow while there is an escape at the end. Comments in between count for nothing. */
  #continued(first: string) {
    let text = first;
    let hasEmptyContinuation = false;
    while (this.#continues.test(text)) {
      text = text.replace(this.#continues, '');
      let next = this.#lines[this.#next];
      while (next !== undefined && /^\s*(?:#|$)/.test(next)) {
        hasEmptyContinuation ||= next.trim() === '' && this.#next < this.#lines.length - 1;
        next = this.#lines[++this.#next];
      }
      if (next === undefined) return { text, hasEmptyContinuation, trailing: 1 };
      this.#next++;
      text += next;
    }
    return { text, hasEmptyContinuation, trailing: 0 };
  }

  #heredocs(line: string, startLine: number): readonly Heredoc[] {
    if (!TAKES_HEREDOCS.test(line) || !line.includes('<<')) return [];
    const words = line.match(WORDS) ?? [];
    return words.flatMap((word) => {
      const announced = parseHeredocMark(word);
      return announced === undefined ? [] : [this.#heredoc(announced, startLine)];
    });
  }

  #heredoc(announced: Announced, startLine: number): Heredoc {
    const lines: string[] = [];
    while (this.#next < this.#lines.length) {
      const raw = this.#lines[this.#next++] ?? '';
      const line = announced.stripsTabs ? raw.replace(/^\t+/, '') : raw;
      if (line === announced.name) {
        return { ...announced, content: lines.map((one) => `${one}\n`).join('') };
      }
      lines.push(line);
    }
    throw parseError({ startLine, endLine: startLine }, 'unterminated heredoc');
  }
}

/** `<<EOF`, `<<-"EOF"`, `3<<EOF`; undefined for any other word. */
export function parseHeredocMark(word: string): Announced | undefined {
  const [mark, descriptor = '', dash, quote, name] = HEREDOC.exec(word) ?? [];
  if (mark === undefined || name === undefined) return undefined;
  if (descriptor !== '' && descriptor !== '0') return undefined;
  return { name, mark, expand: quote === '', stripsTabs: dash === '-' };
}
