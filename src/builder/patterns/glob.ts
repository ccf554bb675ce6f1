/** File name patterns as regular expressions: Go's `filepath.Match`, and Docker's with `**`. */

const TOKENS = /\*\*\/?|[*?]|\[[^\]]+\]|\\.|./gs;

/** The source of a regular expression for a path; `**` has Docker's meaning if asked for. */
function globSource(pattern: string, { doubleStar }: { readonly doubleStar: boolean }): string {
  return pattern.replaceAll(TOKENS, (token, at: number) => {
    if (token.startsWith('**') && doubleStar) {
      return at + token.length >= pattern.length ? '.*' : '(?:.*/)?';
    }
    return tokenSource(token);
  });
}

function tokenSource(token: string): string {
  if (token.startsWith('*')) return token.endsWith('/') ? '[^/]*/' : '[^/]*';
  if (token === '?') return '[^/]';
  if (token.length > 1) return token.startsWith('[') ? token : literal(token.slice(1));
  return literal(token);
}

function literal(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');
}

/** True when the text has characters that `filepath.Match` does not take literally. */
export function isPattern(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/** Whole names or paths that fit; undefined when the pattern is malformed. */
export function globExpression(
  pattern: string,
  options: { readonly doubleStar: boolean } = { doubleStar: false },
): RegExp | undefined {
  try {
    return new RegExp(`^${globSource(pattern, options)}$`, 's');
  } catch {
    return undefined;
  }
}
