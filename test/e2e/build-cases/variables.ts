// biome-ignore-all lint/suspicious/noTemplateCurlyInString: words of a Dockerfile look like that.
/** ARG, ENV and the forms in which variables are used. */
import type { BuildCase } from './build-case.ts';

const expands = (word: string, value: string, more = ''): BuildCase => ({
  name: `${word}${more} is ${value === '' ? 'nothing' : value}`,
  dockerfile: `FROM BASE\nENV a=value empty= path=/usr/lib/x.tar.gz\nENV R=${word}\nRUN test "$R" = "${value}"`,
});

export const VARIABLE_CASES: readonly BuildCase[] = [
  expands('$a', 'value'),
  expands('${a}x', 'valuex'),
  expands('$none', ''),
  expands('${none:-x}', 'x'),
  expands('${none-x}', 'x'),
  expands('${empty:-x}', 'x'),
  expands('${empty-x}', ''),
  expands('${a:+set}', 'set'),
  expands('${none:+set}', ''),
  expands('${empty+set}', 'set'),
  expands('${a:?wanted}', 'value'),
  expands('${path#*/}', 'usr/lib/x.tar.gz'),
  expands('${path##*/}', 'x.tar.gz'),
  expands('${path%.*}', '/usr/lib/x.tar'),
  expands('${path%%.*}', '/usr/lib/x'),
  expands('${path/lib/share}', '/usr/share/x.tar.gz'),
  expands('${a//[a-z]/x}', 'value', ' (no classes)'),
  expands('${none:-${a}}', 'value'),
  expands('"${a} b"', 'value b'),
  {
    name: 'an escaped variable',
    dockerfile: String.raw`FROM BASE
ENV R=\$a
RUN test "$R" = '$a'`,
  },
  {
    name: 'a variable in single quotes',
    dockerfile: `FROM BASE\nENV R='$a'\nRUN test "$R" = '$a'`,
  },
  {
    name: '${x:?message} of a variable that is not set',
    dockerfile: 'FROM BASE\nENV R="${none:?it is needed}"',
    fails: /none: it is needed/,
  },
  { name: 'a brace that is not closed', dockerfile: 'FROM BASE\nENV R=${a', fails: /missing '}'/ },
  {
    name: 'an unknown modifier',
    dockerfile: 'FROM BASE\nENV R=${a!b}',
    fails: /unsupported modifier/,
  },
  { name: 'ARG with a default', dockerfile: 'FROM BASE\nARG A=1\nRUN test $A = 1' },
  {
    name: '--build-arg wins over the default',
    dockerfile: 'FROM BASE\nARG A=1\nRUN test $A = 2',
    flags: ['--build-arg', 'A=2'],
  },
  {
    name: 'ARG without a value is not set',
    dockerfile: 'FROM BASE\nARG A\nRUN test -z "${A+set}"',
  },
  {
    name: 'several ARGs on one line',
    dockerfile: 'FROM BASE\nARG A=1 B=2 C\nRUN test "$A$B$C" = 12',
  },
  {
    name: 'an ARG sees those before it',
    dockerfile: 'FROM BASE\nARG A=1\nARG B=$A-2\nRUN test $B = 1-2',
  },
  {
    name: 'ENV hides ARG',
    dockerfile: 'FROM BASE\nARG A=1\nENV A=env\nRUN test $A = env',
    flags: ['--build-arg', 'A=arg'],
  },
  {
    name: 'ENV keeps the value of an ARG',
    dockerfile: 'FROM BASE\nARG A=1\nENV B=$A',
    flags: ['--build-arg', 'A=7'],
  },
  {
    name: 'an ARG ends with its stage',
    dockerfile: 'FROM BASE AS a\nARG A=1\nFROM BASE\nRUN test -z "$A"',
  },
  {
    name: 'an ARG before it is declared is nothing',
    dockerfile: 'FROM BASE\nENV B=x$A\nARG A=1\nRUN test $B = x',
  },
  { name: 'a global ARG in FROM', dockerfile: 'ARG IMAGE=BASE\nFROM $IMAGE\nRUN true' },
  { name: 'a global ARG with a default in braces', dockerfile: 'FROM ${IMAGE:-BASE}\nRUN true' },
  {
    name: 'a global ARG is taken up by its name',
    dockerfile: 'ARG A=g\nFROM BASE\nARG A\nRUN test $A = g',
  },
  { name: 'a global ARG that nobody takes up', dockerfile: 'ARG A=g\nFROM BASE\nRUN test -z "$A"' },
  {
    name: 'a global ARG from --build-arg',
    dockerfile: 'ARG A=g\nFROM BASE\nARG A\nRUN test $A = b',
    flags: ['--build-arg', 'A=b'],
  },
  {
    name: 'a default of a stage wins over a global one',
    dockerfile: 'ARG A=g\nFROM BASE\nARG A=s\nRUN test $A = s',
  },
  {
    name: 'platform arguments when declared',
    dockerfile:
      'FROM BASE\nARG TARGETOS TARGETARCH TARGETPLATFORM BUILDPLATFORM\nRUN test "$TARGETOS/$TARGETARCH" = "$TARGETPLATFORM" && test -n "$BUILDPLATFORM"',
  },
  { name: 'platform arguments otherwise', dockerfile: 'FROM BASE\nRUN test -z "$TARGETOS"' },
  {
    name: 'platform arguments in FROM',
    dockerfile: 'FROM --platform=$BUILDPLATFORM BASE\nRUN true',
  },
  {
    name: 'proxies reach RUN without ARG',
    dockerfile: 'FROM BASE\nRUN test "$HTTP_PROXY" = http://p:1',
    flags: ['--build-arg', 'HTTP_PROXY=http://p:1'],
  },
  {
    name: 'variables in COPY',
    dockerfile: 'FROM BASE\nARG F=a\nARG D=/d\nCOPY $F ${D}/\nRUN test -e /d/a',
    files: { a: 'A' },
  },
  {
    name: 'variables in LABEL',
    dockerfile: 'FROM BASE\nARG V=1.2\nLABEL version=$V "q $V"="$V"',
    config: { Labels: { version: '1.2', 'q 1.2': '1.2' } },
  },
  {
    name: 'variables in STOPSIGNAL',
    dockerfile: 'FROM BASE\nARG S=SIGTERM\nSTOPSIGNAL $S',
    config: { StopSignal: 'SIGTERM' },
  },
  {
    name: 'variables in VOLUME',
    dockerfile: 'FROM BASE\nARG D=/data\nVOLUME $D',
    config: { Volumes: { '/data': {} } },
  },
  {
    name: 'variables are left to the shell in RUN and CMD',
    dockerfile: 'FROM BASE\nARG A=1\nRUN A=2; test $A = 2\nCMD echo $A',
    config: { Cmd: ['/bin/sh', '-c', 'echo $A'] },
  },
];
