import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_PROFILE, pretendIdentities } from './default-seccomp.ts';
import { parseSeccompProfile } from './parse-seccomp-profile.ts';
import { resolveSeccomp } from './seccomp-rules.ts';
import { parseSecurityOptions } from './security-options.ts';

const resolved = (architecture: string, ...capabilities: readonly string[]) =>
  resolveSeccomp(DEFAULT_PROFILE, { architecture, capabilities: new Set(capabilities) });
const isAllowed = (spec: ReturnType<typeof resolved>, name: string) =>
  spec.syscalls.some(
    ({ names, action, args }) =>
      names.includes(name) && action === 'SCMP_ACT_ALLOW' && args === undefined,
  );

test('what is not named is refused with EPERM', () => {
  const spec = resolved('amd64');
  assert.equal(spec.defaultAction, 'SCMP_ACT_ERRNO');
  assert.equal(spec.defaultErrnoRet, 1);
  for (const name of ['mount', 'bpf', 'keyctl', 'add_key', 'io_uring_setup', 'userfaultfd']) {
    assert.equal(isAllowed(spec, name), false, name);
  }
});

test('every name of the list is there once', () => {
  const names = resolved('amd64').syscalls.find(({ args }) => args === undefined)?.names ?? [];
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length > 320);
});

test('a capability brings the calls that it is for', () => {
  const spec = resolved('amd64', 'CAP_SYS_ADMIN');
  assert.ok(isAllowed(spec, 'mount'));
  assert.ok(isAllowed(spec, 'clone3'));
  assert.ok(isAllowed(resolved('amd64', 'CAP_SYS_CHROOT'), 'chroot'));
});

test('without privilege new namespaces are refused, by flags or by hiding the call', () => {
  const rules = resolved('amd64').syscalls;
  const clone = rules.find(({ names }) => names.includes('clone'));
  assert.deepEqual(clone?.args, [
    { index: 0, value: 0x7e020000, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' },
  ]);
  const clone3 = rules.find(({ names }) => names.includes('clone3'));
  assert.equal(clone3?.errnoRet, 38);
});

test('architectures bring their own calls', () => {
  assert.ok(isAllowed(resolved('amd64'), 'arch_prctl'));
  assert.ok(!isAllowed(resolved('arm64'), 'arch_prctl'));
  assert.deepEqual(resolved('arm64').architectures, ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM']);
});

test('under a single id changes of owner succeed without effect', () => {
  const context = { architecture: 'amd64', capabilities: new Set<string>() };
  const spec = resolveSeccomp(pretendIdentities(DEFAULT_PROFILE), context);
  const rules = spec.syscalls.filter(({ names }) => names.includes('chown'));
  assert.deepEqual(
    rules.map(({ action, errnoRet }) => [action, errnoRet]),
    [['SCMP_ACT_ERRNO', 0]],
  );
});

test('a profile in the form of Docker keeps its conditions', () => {
  const text = JSON.stringify({
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
      { names: ['a'], action: 'SCMP_ACT_ERRNO', includes: { caps: ['CAP_X'] }, excludes: {} },
      { name: 'b', action: 'SCMP_ACT_ERRNO', args: [], excludes: { arches: ['amd64'] } },
    ],
  });
  const context = { architecture: 'amd64', capabilities: new Set<string>() };
  assert.deepEqual(resolveSeccomp(parseSeccompProfile(text), context).syscalls, [
    { names: ['mkdir'], action: 'SCMP_ACT_ERRNO', errnoRet: 38 },
  ]);
});

test('security options switch the profile off and new privileges too', () => {
  const { seccomp, noNewPrivileges } = parseSecurityOptions([
    'seccomp=unconfined',
    'no-new-privileges',
  ]);
  assert.deepEqual([seccomp, noNewPrivileges], ['unconfined', true]);
  assert.equal(parseSecurityOptions(['no-new-privileges:false']).noNewPrivileges, false);
});

test('what cannot be understood is refused', () => {
  assert.throws(() => parseSecurityOptions(['seccomp=/a/file']), /Decoding seccomp profile failed/);
  assert.throws(() => parseSecurityOptions(['nonsense']), /invalid --security-opt: "nonsense"/);
});
