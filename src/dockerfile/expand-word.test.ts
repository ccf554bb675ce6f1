// biome-ignore-all lint/suspicious/noTemplateCurlyInString: words of a Dockerfile look like that.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandText, expandWord } from './expand-word.ts';

const VARIABLES: Readonly<Record<string, string>> = {
  a: 'value',
  empty: '',
  path: '/usr/lib/x.tar.gz',
};
const expansion = {
  lookup: (name: string) => (Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined),
  escapeChar: '\\',
} as const;

test('variables are expanded in all their forms', () => {
  const cases: Readonly<Record<string, string>> = {
    '$a-${a}x': 'value-valuex',
    $none: '',
    '${none:-x}': 'x',
    '${empty:-x}': 'x',
    '${empty-x}': '',
    '${none-$a}': 'value',
    '${a:+set}': 'set',
    '${empty:+set}': '',
    '${empty+set}': 'set',
    '${a:?no}': 'value',
    '${path#*/}': 'usr/lib/x.tar.gz',
    '${path##*/}': 'x.tar.gz',
    '${path%.*}': '/usr/lib/x.tar',
    '${path%%.*}': '/usr/lib/x',
    '${path/lib/share}': '/usr/share/x.tar.gz',
    '${path//\\//:}': ':usr:lib:x.tar.gz',
    '${a/?a/W}': 'Wlue',
    '${none:-${a:-y}}': 'value',
    '\\$a': '$a',
    "'$a'": '$a',
    '"$a b"': 'value b',
    '"\\"$a\\""': '"value"',
    'a\\ b': 'a b',
    $: '$',
  };
  for (const [word, expected] of Object.entries(cases)) {
    assert.equal(expandWord(word, expansion), expected, word);
  }
});

test('texts keep their quotes', () => {
  assert.equal(expandText(`"$a" '$a' \\$a \\n`, expansion), `"value" 'value' $a \\n`);
});

test('broken words say what is wrong with them', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['${a', /syntax error: missing '}'/],
    ['${a!x}', /unsupported modifier \(!x\)/],
    ['${none:?it is missing}', /none: it is missing/],
    ['"open', /looking for matching double-quote/],
    ["'open", /looking for matching single-quote/],
    ['${}', /bad substitution/],
  ];
  for (const [word, message] of cases) {
    assert.throws(() => expandWord(word, expansion), message, word);
  }
});
