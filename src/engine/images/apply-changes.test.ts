import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyChanges } from './apply-changes.ts';

describe('changes of a config', () => {
  it('set the command in both forms, and an entrypoint takes the command away', () => {
    const cmd = applyChanges({}, ['CMD ["a", "b c"]']);
    assert.deepEqual(cmd.Cmd, ['a', 'b c']);
    assert.deepEqual(applyChanges({}, ['cmd echo "$HOME"']).Cmd, ['/bin/sh', '-c', 'echo "$HOME"']);
    const entry = applyChanges({ Cmd: ['x'] }, ['ENTRYPOINT ["/run"]']);
    assert.deepEqual([entry.Entrypoint, entry.Cmd], [['/run'], undefined]);
  });

  it('leave a command that they set themselves, whatever entrypoint follows', () => {
    const both = applyChanges({}, ['CMD ["a"]', 'ENTRYPOINT ["/run"]']);
    assert.deepEqual([both.Entrypoint, both.Cmd], [['/run'], ['a']]);
  });

  it('put variables together from earlier ones', () => {
    const changes = [
      'ENV A=1 B="two words" C=three\\ words',
      `ENV D=$A-\${B:-x}-\${E:-none}-\${A:+set}`,
      `ENV F='$A' G="\\$A \${A}"`,
      'ENV OLD the rest of it',
      'ENV A=2',
    ];
    assert.deepEqual(applyChanges({ Env: ['PATH=/bin'] }, changes).Env, [
      'PATH=/bin',
      'A=2',
      'B=two words',
      'C=three words',
      'D=1-two words-none-set',
      'F=$A',
      'G=$A 1',
      'OLD the rest of it'.replace(' ', '='),
    ]);
  });

  it('add ports, labels, volumes and triggers to those that are there', () => {
    const before = {
      ExposedPorts: { '1/tcp': {} },
      Labels: { a: '1' },
      Volumes: { '/v': {} },
      OnBuild: ['RUN x'],
    };
    const changes = [
      'EXPOSE 80 90-91/udp',
      'LABEL b="2 3" a=4',
      'VOLUME /w /x',
      'VOLUME ["/y z"]',
      'ONBUILD RUN make',
    ];
    assert.deepEqual(applyChanges(before, changes), {
      ExposedPorts: { '1/tcp': {}, '80/tcp': {}, '90/udp': {}, '91/udp': {} },
      Labels: { a: '4', b: '2 3' },
      Volumes: { '/v': {}, '/w': {}, '/x': {}, '/y z': {} },
      OnBuild: ['RUN x', 'RUN make'],
    });
  });

  it('take of a mapping of ports only the one of the container', () => {
    const { ExposedPorts } = applyChanges({}, ['EXPOSE 127.0.0.1:8080:80/udp 9:90']);
    assert.deepEqual(ExposedPorts, { '80/udp': {}, '90/tcp': {} });
    assert.throws(() => applyChanges({}, ['EXPOSE no:80']), /no/);
  });

  it('set user, working directory, stop signal and health check', () => {
    const changes = [
      'USER me:us',
      'WORKDIR /a',
      'WORKDIR b/../c',
      'STOPSIGNAL SIGINT',
      'HEALTHCHECK --interval=1m30s --retries=3 CMD curl localhost || exit 1',
    ];
    assert.deepEqual(applyChanges({}, changes), {
      User: 'me:us',
      WorkingDir: '/a/c',
      StopSignal: 'SIGINT',
      Healthcheck: {
        Interval: 90e9,
        Retries: 3,
        Test: ['CMD-SHELL', 'curl localhost || exit 1'],
      },
    });
    assert.deepEqual(applyChanges({}, ['HEALTHCHECK NONE']).Healthcheck, { Test: ['NONE'] });
  });

  it('are refused when they are none', () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['RUN make', /RUN is not a valid change command/],
      ['constructor x', /constructor is not a valid change command/],
      ['ENV', /ENV requires at least one argument/],
      ['ENV A', /ENV must have two arguments/],
      ['LABEL a=1 b', /can't find = in "b"/],
      ['ENV A="open', /unexpected end of statement/],
      ['EXPOSE no', /no/],
      ['STOPSIGNAL NO', /invalid signal: NO/],
      ['ONBUILD FROM x', /FROM isn't allowed as an ONBUILD trigger/],
      ['HEALTHCHECK SOMETIMES', /unknown type "SOMETIMES" in HEALTHCHECK/],
      ['HEALTHCHECK --interval=1q CMD x', /invalid duration "1q"/],
      ['USER', /USER requires exactly one argument/],
      ['HEALTHCHECK --interval=1us CMD x', /cannot be less than 1ms/],
    ];
    for (const [change, reason] of cases) {
      assert.throws(() => applyChanges({}, [change]), reason, change);
    }
  });
});
