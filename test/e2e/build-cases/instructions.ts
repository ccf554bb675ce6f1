// biome-ignore-all lint/suspicious/noTemplateCurlyInString: words of a Dockerfile look like that.
/** What each instruction does to the image. */
import type { BuildCase } from './build-case.ts';

export const INSTRUCTION_CASES: readonly BuildCase[] = [
  { name: 'FROM alone gives an image like its base', dockerfile: 'FROM BASE' },
  {
    name: 'FROM scratch with a setting',
    dockerfile: 'FROM scratch\nCMD ["/x"]',
    config: { Cmd: ['/x'] },
  },
  {
    name: 'FROM scratch with a file',
    dockerfile: 'FROM scratch\nCOPY a /a\nFROM BASE\nCOPY --from=0 /a /a\nRUN test "$(cat /a)" = A',
    files: { a: 'A' },
  },
  {
    name: 'instructions in any case',
    dockerfile: 'from BASE\nrun true\nCmd ["a"]',
    config: { Cmd: ['a'] },
  },
  {
    name: 'CMD in the form of a list',
    dockerfile: 'FROM BASE\nCMD ["a", "b c"]',
    config: { Cmd: ['a', 'b c'] },
  },
  {
    name: 'CMD as a line for the shell',
    dockerfile: 'FROM BASE\nCMD echo "$HOME"',
    config: { Cmd: ['/bin/sh', '-c', 'echo "$HOME"'] },
  },
  {
    name: 'the last CMD counts',
    dockerfile: 'FROM BASE\nCMD ["a"]\nCMD ["b"]',
    config: { Cmd: ['b'] },
  },
  { name: 'an empty CMD takes it away', dockerfile: 'FROM BASE\nCMD []', config: { Cmd: null } },
  {
    name: 'ENTRYPOINT takes an inherited command away',
    dockerfile: 'FROM BASE AS a\nCMD ["x"]\nFROM a\nENTRYPOINT ["e"]',
    config: { Entrypoint: ['e'], Cmd: null },
  },
  {
    name: 'ENTRYPOINT leaves a command of the same stage',
    dockerfile: 'FROM BASE\nCMD ["x"]\nENTRYPOINT ["e"]',
    config: { Entrypoint: ['e'], Cmd: ['x'] },
  },
  {
    name: 'ENTRYPOINT as a line for the shell',
    dockerfile: 'FROM BASE\nENTRYPOINT top -b',
    config: { Entrypoint: ['/bin/sh', '-c', 'top -b'] },
  },
  {
    name: 'ENV with several pairs, quotes and escapes',
    dockerfile: String.raw`FROM BASE
ENV A=1 B="two words" C=three\ words D='single $A'
RUN test "$A|$B|$C|$D" = '1|two words|three words|single $A'`,
  },
  {
    name: 'ENV in the old form',
    dockerfile: 'FROM BASE\nENV OLD the rest of it\nRUN test "$OLD" = "the rest of it"',
  },
  {
    name: 'ENV replaces an earlier value',
    dockerfile: 'FROM BASE\nENV A=1\nENV A=2\nRUN test $A = 2',
  },
  {
    name: 'ENV of one instruction sees the values before it',
    dockerfile:
      'FROM BASE\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc\nRUN test "$def $ghi" = "hello bye"',
  },
  {
    name: 'ENV comes along to later stages',
    dockerfile: 'FROM BASE AS a\nENV A=1\nFROM a\nRUN test $A = 1',
  },
  {
    name: 'LABEL with several pairs',
    dockerfile: 'FROM BASE\nLABEL a=1 "b c"="d e"\nLABEL a=2',
    config: { Labels: { a: '2', 'b c': 'd e' } },
  },
  {
    name: '--label adds labels',
    dockerfile: 'FROM BASE\nLABEL a=1',
    flags: ['--label', 'z=9'],
    config: { Labels: { a: '1', z: '9' } },
  },
  {
    name: 'EXPOSE of ports, protocols and ranges',
    dockerfile: 'FROM BASE\nEXPOSE 80 81/udp\nEXPOSE 90-91',
    config: { ExposedPorts: { '80/tcp': {}, '81/udp': {}, '90/tcp': {}, '91/tcp': {} } },
  },
  {
    name: 'EXPOSE of a variable',
    dockerfile: 'FROM BASE\nARG P=8080\nEXPOSE $P',
    config: { ExposedPorts: { '8080/tcp': {} } },
  },
  {
    name: 'VOLUME in both forms',
    dockerfile: 'FROM BASE\nVOLUME /a /b\nVOLUME ["/c d"]',
    config: { Volumes: { '/a': {}, '/b': {}, '/c d': {} } },
  },
  {
    name: 'USER by number',
    dockerfile: 'FROM BASE\nUSER 12:34\nRUN test "$(id -u):$(id -g)" = 12:34',
    config: { User: '12:34' },
  },
  {
    name: 'USER by name',
    dockerfile:
      'FROM BASE\nRUN echo "me:x:1234:1234::/home/me:/bin/sh" >>/etc/passwd\nUSER me\nRUN test "$(id -u)" = 1234 && test "$HOME" = /home/me',
  },
  {
    name: 'USER of a variable',
    dockerfile: 'FROM BASE\nARG U=77\nUSER ${U}\nRUN test "$(id -u)" = 77',
    config: { User: '77' },
  },
  {
    name: 'WORKDIR makes its directory',
    dockerfile: 'FROM BASE\nWORKDIR /a/b\nRUN test "$PWD" = /a/b',
    config: { WorkingDir: '/a/b' },
  },
  {
    name: 'WORKDIR is relative to the one before',
    dockerfile: 'FROM BASE\nWORKDIR /a\nWORKDIR b/../c\nRUN test "$PWD" = /a/c',
  },
  {
    name: 'WORKDIR of a variable',
    dockerfile: 'FROM BASE\nENV D=/x\nWORKDIR $D/y\nRUN test "$PWD" = /x/y',
  },
  {
    name: 'STOPSIGNAL',
    dockerfile: 'FROM BASE\nSTOPSIGNAL SIGINT',
    config: { StopSignal: 'SIGINT' },
  },
  {
    name: 'SHELL changes what lines are run with',
    dockerfile: 'FROM BASE\nSHELL ["/bin/sh", "-ec"]\nRUN false; true || true\nCMD x',
    fails: /non-zero code: 1|exit code: 1/,
  },
  {
    name: 'SHELL is kept in the image and in the commands',
    dockerfile: 'FROM BASE\nSHELL ["/bin/sh", "-xc"]\nCMD hi',
    config: { Shell: ['/bin/sh', '-xc'], Cmd: ['/bin/sh', '-xc', 'hi'] },
  },
  {
    name: 'HEALTHCHECK with options',
    dockerfile:
      'FROM BASE\nHEALTHCHECK --interval=1m30s --timeout=3s --start-period=5s --retries=4 CMD wget localhost || exit 1',
    config: {
      Healthcheck: {
        Test: ['CMD-SHELL', 'wget localhost || exit 1'],
        Interval: 90e9,
        Timeout: 3e9,
        StartPeriod: 5e9,
        Retries: 4,
      },
    },
  },
  {
    name: 'HEALTHCHECK as a list',
    dockerfile: 'FROM BASE\nHEALTHCHECK CMD ["a", "b"]',
    config: { Healthcheck: { Test: ['CMD', 'a', 'b'] } },
  },
  {
    name: 'HEALTHCHECK NONE',
    dockerfile: 'FROM BASE\nHEALTHCHECK NONE',
    config: { Healthcheck: { Test: ['NONE'] } },
  },
  {
    name: 'ONBUILD is kept',
    dockerfile: 'FROM BASE\nONBUILD RUN echo hi',
    config: { OnBuild: ['RUN echo hi'] },
  },
  { name: 'MAINTAINER', dockerfile: 'FROM BASE\nMAINTAINER me <me@here>' },
  {
    name: 'comments, empty lines and white space',
    dockerfile: '# one\n\n  # two\nFROM BASE\n\n   RUN \\\n  # three\n  true\n',
  },
  {
    name: 'lines that end with CR LF',
    dockerfile: 'FROM BASE\r\nRUN echo a \\\r\n  >/a\r\nRUN test -e /a\r\n',
  },
  { name: 'a byte order mark', dockerfile: '\uFEFFFROM BASE\nRUN true' },
  { name: 'an empty line among continued ones', dockerfile: 'FROM BASE\nRUN test 1 = \\\n\n  1' },
  { name: 'the directive escape', dockerfile: '# escape=`\nFROM BASE\nRUN test 1 = `\n  1' },
  {
    name: 'the directive syntax is accepted',
    dockerfile: '# syntax=docker/dockerfile:1\nFROM BASE\nRUN true',
  },
  { name: 'the directive check is accepted', dockerfile: '# check=skip=all\nFROM BASE\nRUN true' },
];
