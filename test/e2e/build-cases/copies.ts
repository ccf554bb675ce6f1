// biome-ignore-all lint/suspicious/noTemplateCurlyInString: words of a Dockerfile look like that.
/** COPY and ADD. */
import type { BuildCase } from './build-case.ts';

const TREE = {
  'd/a.txt': 'A',
  'd/b.md': 'B',
  'd/sub/c.txt': 'C',
  'top.txt': 'T',
  'run.sh*': '#!/bin/sh\necho hi\n',
};
type Row = readonly [name: string, instructions: string, check: string, more?: Partial<BuildCase>];

const copy = (...[name, instructions, check, more = {}]: Row): BuildCase => ({
  name,
  dockerfile: `FROM BASE\n${instructions}\nRUN ${check}`,
  files: TREE,
  ...more,
});

export const COPY_CASES: readonly BuildCase[] = [
  copy('a file to a name', 'COPY top.txt /x', 'test "$(cat /x)" = T'),
  copy('a file into a directory', 'COPY top.txt /x/', 'test "$(cat /x/top.txt)" = T'),
  copy('a file into a directory that is there', 'COPY top.txt /tmp', 'test -f /tmp/top.txt'),
  copy('a file relative to WORKDIR', 'WORKDIR /w\nCOPY top.txt .', 'test -f /w/top.txt'),
  copy('a file to a relative name', 'WORKDIR /w\nCOPY top.txt n/x', 'test -f /w/n/x'),
  copy(
    'the contents of a directory',
    'COPY d /x',
    'test "$(ls /x | tr "\\n" " ")" = "a.txt b.md sub "',
  ),
  copy('the contents of a directory with a slash', 'COPY d/ /x/', 'test -f /x/sub/c.txt'),
  copy('everything', 'COPY . /all', 'test -f /all/d/sub/c.txt && test -f /all/top.txt'),
  copy('several files', 'COPY top.txt d/a.txt /x/', 'test -f /x/top.txt && test -f /x/a.txt'),
  copy('wildcards', 'COPY d/*.txt /x/', 'test "$(ls /x)" = a.txt'),
  copy('wildcards for one letter and classes', 'COPY to?.[s-u]xt /x/', 'test -f /x/top.txt'),
  copy('a wildcard of directories', 'COPY d/s* /x/', 'test -f /x/c.txt'),
  copy('a list', 'COPY ["top.txt", "/x y"]', 'test -f "/x y"'),
  copy('a source with a slash in front', 'COPY /top.txt /x', 'test -f /x'),
  copy('a source that wants to leave the context', 'COPY ../../top.txt /x', 'test -f /x'),
  copy('files are those of root', 'COPY top.txt /x', 'test "$(stat -c %u:%g /x)" = 0:0'),
  copy(
    'permissions are kept',
    'COPY run.sh /x',
    'test "$(stat -c %a /x)" = 755 && test "$(/x)" = hi',
  ),
  copy('--chown by number', 'COPY --chown=12:34 top.txt /x', 'test "$(stat -c %u:%g /x)" = 12:34'),
  copy(
    '--chown with one number',
    'COPY --chown=12 top.txt /x',
    'test "$(stat -c %u:%g /x)" = 12:12',
  ),
  copy(
    '--chown of a directory',
    'COPY --chown=12:34 d /x',
    'test "$(stat -c %u:%g /x/sub/c.txt /x/sub /x | sort -u)" = 12:34',
  ),
  copy(
    '--chown by name',
    'RUN echo "me:x:1234:1235::/:/bin/sh" >>/etc/passwd && echo "us:x:77:" >>/etc/group\nCOPY --chown=me:us top.txt /x',
    'test "$(stat -c %u:%g /x)" = 1234:77',
  ),
  copy('--chmod in octal', 'COPY --chmod=640 top.txt /x', 'test "$(stat -c %a /x)" = 640'),
  copy('--chmod in words', 'COPY --chmod=u=rwX,go=r top.txt /x', 'test "$(stat -c %a /x)" = 644'),
  copy(
    '--chmod of a variable',
    'ARG M=600\nCOPY --chmod=$M top.txt /x',
    'test "$(stat -c %a /x)" = 600',
  ),
  copy('--link', 'COPY --link top.txt /x/y', 'test -f /x/y'),
  copy(
    '--link keeps what is there',
    'RUN mkdir -m 700 /x && echo 1 >/x/kept\nCOPY --link d /x\nCOPY --link --chown=5:6 top.txt /x/top.txt',
    'test -f /x/kept && test -f /x/sub/c.txt && test "$(stat -c %u:%g /x/top.txt)" = 5:6',
  ),
  copy(
    '--link follows no link, and knows no directory, of what it is put on',
    'RUN mkdir /real /dir && ln -s real /link\nCOPY --link top.txt /link/\nCOPY --link top.txt /dir',
    'test ! -e /real/top.txt && test -f /link/top.txt && test ! -L /link && test "$(cat /dir)" = T',
  ),
  copy(
    '--link with a name, which only /etc of another layer knows',
    'COPY --link --chown=root top.txt /x',
    'true',
    {
      fails: /root/,
    },
  ),
  copy(
    '--parents',
    'COPY --parents d/sub/c.txt top.txt /x/',
    'test -f /x/d/sub/c.txt && test -f /x/top.txt',
  ),
  copy('--parents from a point on', 'COPY --parents d/./sub/c.txt /x/', 'test -f /x/sub/c.txt'),
  copy(
    '--parents with ** for any directories',
    'COPY --parents **/*.txt /x/\nCOPY --parents d/./**/c* /y/\nCOPY --parents d/** /z/',
    'test "$(cd /x && find . -type f | sort | tr "\\n" " ")" = "./d/a.txt ./d/sub/c.txt ./top.txt " && test -f /y/sub/c.txt && test -f /z/d/sub/c.txt',
  ),
  copy('** is * without --parents', 'COPY **/*.txt /x/', 'test "$(ls /x)" = a.txt'),
  copy('--exclude', 'COPY --exclude=*.md d /x', 'test ! -e /x/b.md && test -f /x/a.txt'),
  copy(
    '--exclude with what is taken back',
    'COPY --exclude=** --exclude=!a.txt d /x',
    'test "$(ls /x)" = a.txt',
  ),
  copy('over a file that is there', 'RUN echo old >/x\nCOPY top.txt /x', 'test "$(cat /x)" = T'),
  copy(
    'into a link to a directory',
    'RUN mkdir /real && ln -s real /link\nCOPY top.txt /link/',
    'test -f /real/top.txt',
  ),
  copy(
    'into an absolute link',
    'RUN mkdir /real && ln -s /real /link\nCOPY d /link/x',
    'test -f /real/x/a.txt',
  ),
  copy(
    'merges directories',
    'RUN mkdir /x && echo 1 >/x/kept\nCOPY d /x',
    'test -f /x/kept && test -f /x/a.txt',
  ),
  copy('links stay links', 'COPY . /x', 'test "$(readlink /x/link)" = top.txt', {
    links: { link: 'top.txt' },
  }),
  copy('a named link is followed', 'COPY link /x', 'test ! -L /x && test "$(cat /x)" = T', {
    links: { link: 'top.txt' },
  }),
  copy('a link out of the context leads nowhere', 'COPY link /x', 'true', {
    links: { link: '/etc/passwd' },
    fails: /"?\/link"?.*not found|not found/,
  }),
  copy(
    'from an earlier stage',
    'FROM BASE AS m\nRUN echo 1 >/made\nFROM BASE\nCOPY --from=m /made /x',
    'test "$(cat /x)" = 1',
  ),
  copy(
    'from a stage by number',
    'RUN echo 1 >/made\nFROM BASE\nCOPY --from=0 /made /x',
    'test "$(cat /x)" = 1',
  ),
  copy('from an image', 'COPY --from=BASE /bin/busybox /x', 'test -x /x'),
  copy(
    'owners of another stage are kept',
    'FROM BASE AS m\nRUN echo 1 >/made && chown 5:6 /made\nFROM BASE\nCOPY --from=m /made /x',
    'test "$(stat -c %u:%g /x)" = 5:6',
  ),
  copy(
    'a directory of another stage',
    'FROM BASE AS m\nRUN mkdir -p /a/b && echo 1 >/a/b/c\nFROM BASE\nCOPY --from=m /a /x',
    'test -f /x/b/c',
  ),
  copy('.dockerignore leaves files out', 'COPY . /x', 'test ! -e /x/d/b.md && test -f /x/d/a.txt', {
    files: { ...TREE, '.dockerignore': '# no\n**/*.md\n' },
  }),
  copy('.dockerignore takes files back', 'COPY . /x', 'test -f /x/d/b.md && test ! -e /x/d/a.txt', {
    files: { ...TREE, '.dockerignore': 'd/*\n!d/b.md\n' },
  }),
  copy('a file that .dockerignore leaves out is not there', 'COPY top.txt /x', 'true', {
    files: { ...TREE, '.dockerignore': 'top.txt\n' },
    fails: /top\.txt.*not found|excluded by/,
  }),
  copy('ADD of a file', 'ADD top.txt /x', 'test "$(cat /x)" = T'),
  copy('ADD of a directory', 'ADD d /x', 'test -f /x/sub/c.txt'),
  copy('a missing file', 'COPY nothing /x', 'true', { fails: /"\/nothing": not found/ }),
  copy('a missing file of a stage', 'FROM BASE\nCOPY --from=0 /nothing /x', 'true', {
    fails: /"\/nothing": not found/,
  }),
  copy('a wildcard that fits nothing', 'COPY no*thing /x/', 'true'),
  copy('an unknown owner', 'COPY --chown=nobody-here top.txt /x', 'true', { fails: /nobody-here/ }),
  copy('a mode that is none', 'COPY --chmod=9x top.txt /x', 'true', { fails: /invalid chmod/ }),
  copy('--chown without a value', 'COPY --chown top.txt /x', 'true', {
    fails: /missing a value on flag: --chown/,
  }),
];
