// biome-ignore-all lint/suspicious/noTemplateCurlyInString: words of a Dockerfile look like that.
/** RUN, its mounts and its heredocs. */
import type { BuildCase } from './build-case.ts';

const run = (name: string, instructions: string, more: Partial<BuildCase> = {}): BuildCase => ({
  name,
  dockerfile: `FROM BASE\n${instructions}`,
  ...more,
});

export const RUN_CASES: readonly BuildCase[] = [
  run('a line for the shell', 'RUN echo a | grep -q a'),
  run('a list', 'RUN ["sh", "-c", "test $0 = x", "x"]'),
  run('what is written is kept', 'RUN echo 1 >/a && mkdir /b\nRUN test -f /a && test -d /b'),
  run(
    'what is removed is gone',
    'RUN echo 1 >/a\nRUN rm /a && rm -r /root\nRUN test ! -e /a && test ! -e /root',
  ),
  run(
    'owners, modes and links are kept',
    'RUN echo 1 >/a && chown 3:4 /a && chmod 4711 /a && ln /a /b && ln -s a /c\nRUN test "$(stat -c "%u:%g %a %h" /a) $(readlink /c)" = "3:4 4711 2 a"',
  ),
  run('the default network has an address', 'RUN ip addr show eth0 | grep -q inet'),
  run('--network=none has none', 'RUN --network=none ! ip addr show eth0 2>/dev/null'),
  run('--network none of the build', 'RUN ! ip addr show eth0 2>/dev/null', {
    flags: ['--network', 'none'],
  }),
  run('--add-host', 'RUN grep -q "10.9.8.7.*there" /etc/hosts', {
    flags: ['--add-host', 'there:10.9.8.7'],
  }),
  run('files for mounts leave nothing behind', 'RUN true\nFROM scratch\nCOPY --from=0 /etc/ /e/'),
  run(
    'a bind mount of the context',
    'RUN --mount=type=bind,target=/ctx test "$(cat /ctx/a)" = A\nRUN test ! -e /ctx',
    { files: { a: 'A' } },
  ),
  run(
    'a bind mount of one file',
    'RUN --mount=type=bind,source=d/a,target=/x test "$(cat /x)" = A',
    { files: { 'd/a': 'A' } },
  ),
  run('a bind mount is read-only', 'RUN --mount=target=/ctx ! touch /ctx/new', {
    files: { a: 'A' },
  }),
  run(
    'a writable bind mount forgets what is written',
    'RUN --mount=target=/ctx,rw echo 1 >/ctx/new\nRUN --mount=target=/ctx test ! -e /ctx/new',
    { files: { a: 'A' } },
  ),
  run(
    'a bind mount of a stage',
    'RUN echo 1 >/made\nFROM BASE\nRUN --mount=from=0,target=/m test "$(cat /m/made)" = 1',
  ),
  run('a bind mount of an image', 'RUN --mount=from=BASE,source=/bin,target=/m test -x /m/busybox'),
  run(
    'a cache keeps its files',
    'RUN --mount=type=cache,target=/c,id=keeps echo 1 >/c/x\nRUN --mount=type=cache,target=/d,id=keeps test "$(cat /d/x)" = 1\nRUN test ! -e /c/x',
  ),
  run(
    'a cache with owner and mode',
    'RUN --mount=type=cache,target=/c,id=owned,uid=5,gid=6,mode=0750 test "$(stat -c "%u:%g %a" /c)" = "5:6 750"',
  ),
  run(
    'a cache that is filled from a stage',
    'RUN mkdir /f && echo 1 >/f/x\nFROM BASE\nRUN --mount=type=cache,from=0,source=/f,target=/c,id=filled test "$(cat /c/x)" = 1',
  ),
  run('a private cache', 'RUN --mount=type=cache,target=/c,id=own,sharing=private touch /c/x'),
  run('a locked cache', 'RUN --mount=type=cache,target=/c,id=lock,sharing=locked touch /c/x'),
  run('a read-only cache', 'RUN --mount=type=cache,target=/c,id=ro,readonly ! touch /c/x'),
  run(
    'a tmpfs',
    'RUN --mount=type=tmpfs,target=/t touch /t/x && mount | grep -q " /t type tmpfs"\nRUN test ! -e /t/x',
  ),
  run(
    'a tmpfs of a size',
    'RUN --mount=type=tmpfs,target=/t,size=64k ! dd if=/dev/zero of=/t/x bs=1k count=100 2>/dev/null',
  ),
  run(
    'a secret that nobody gave is not there',
    'RUN --mount=type=secret,id=s test ! -e /run/secrets/s',
  ),
  run('a secret that is required', 'RUN --mount=type=secret,id=s,required true', {
    fails: /secret s: not found/,
  }),
  run('variables in mounts', 'ARG D=/ctx\nRUN --mount=target=$D test -e /ctx/a', {
    files: { a: 'A' },
  }),
  run('an unknown type of mount', 'RUN --mount=type=bnd,target=/x true', {
    fails: /unsupported mount type "bnd" \(did you mean bind\?\)/,
  }),
  run('an unknown key of a mount', 'RUN --mount=type=bind,tarrget=/x true', {
    fails: /unexpected key 'tarrget'/,
  }),
  run('a mount without a target', 'RUN --mount=type=cache true', { fails: /target is required/ }),
  run('a heredoc', 'RUN <<EOF\nset -e\necho 1 >/a\ntest -f /a\nEOF\nRUN test -f /a'),
  run(
    'a heredoc with an interpreter',
    'RUN <<EOF\n#!/bin/sh\necho 1 >/a\nEOF\nRUN test "$(cat /a)" = 1',
  ),
  run('a heredoc for a command', 'RUN cat >/a <<EOF\nline $HOME\nEOF\nRUN grep -q "line /root" /a'),
  run('a heredoc with tabs stripped', 'RUN <<-EOF\n\techo 1 >/a\n\tEOF\nRUN test -f /a'),
  run(
    'a heredoc with variables of the shell',
    `RUN <<'EOF'\nA=5\necho $A >/a\nEOF\nRUN test "$(cat /a)" = 5`,
  ),
  run(
    'COPY of a heredoc',
    'ARG A=1\nCOPY <<EOF /a\nvalue $A\nEOF\nRUN test "$(cat /a)" = "value 1"',
  ),
  run(
    'COPY of a heredoc as it is',
    `ARG A=1\nCOPY <<'EOF' /a\nvalue $A\nEOF\nRUN test "$(cat /a)" = 'value $A'`,
  ),
  run(
    'COPY of several heredocs',
    'COPY <<a <<b /d/\nA\na\nB\nb\nRUN test "$(cat /d/a /d/b | tr -d "\\n")" = AB',
  ),
  run('a heredoc that never ends', 'RUN <<EOF\necho', { fails: /unterminated heredoc/ }),
  run('a command that fails', 'RUN echo said; exit 7', { fails: /(?:non-zero code|exit code): 7/ }),
  run('a command that is not there', 'RUN no-such-command', {
    fails: /(?:non-zero code|exit code): 127/,
  }),
  run('a program of a list that is not there', 'RUN ["/no-such"]', { fails: /no-such/ }),
  run('insecure without the right to it', 'RUN --security=insecure true', {
    fails: /security\.insecure is not allowed/,
  }),
  run('an unknown network', 'RUN --network=nowhere true', {
    fails: /unsupported network mode "nowhere"/,
  }),
];
