import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConsole } from './console-log.ts';
import { qemuArguments } from './qemu-driver.ts';
import type { VmParts } from './vm-driver.ts';

const parts: VmParts = {
  kernel: '/i/vmlinuz',
  initialRoot: '/i/initrd',
  root: '/i/root.erofs',
  dataDisk: '/d/a,b.raw',
  programDisk: '/r/programs',
  channelSocket: '/r/vm.sock',
  consoleLog: '/r/console',
  user: { uid: 1001, gid: 100 },
  sharedDir: '/home/me',
  apiSocket: '/r/docker.sock',
  cpus: 2,
  memoryMb: 2048,
};

test('the command line of a machine without help by the processor', () => {
  assert.deepEqual(
    qemuArguments({ kind: 'x64', accelerator: 'tcg', share: '9p' }, parts).join(' ').split(' -'),
    [
      ...['-M q35', 'accel tcg,thread=multi', 'cpu max', 'smp 2', 'm 2048', 'nodefaults'],
      ...['no-user-config', 'display none', 'no-reboot', 'serial chardev:console'],
      'chardev file,id=console,path=/r/console,append=on',
      ...['kernel /i/vmlinuz', 'initrd /i/initrd'],
      'append console=ttyS0 quiet loglevel=3 panic=-1 wherry.uid=1001 wherry.gid=100 wherry.share=/home/me wherry.socket=/r/docker.sock',
      'drive file=/i/root.erofs,if=none,id=root,format=raw,readonly=on',
      'device virtio-blk-pci,drive=root',
      'drive file=/d/a,,b.raw,if=none,id=data,format=raw,discard=unmap,detect-zeroes=unmap',
      'device virtio-blk-pci,drive=data',
      'drive file=/r/programs,if=none,id=programs,format=raw,readonly=on',
      'device virtio-blk-pci,drive=programs',
      'virtfs local,path=/home/me,mount_tag=share,security_model=none,multidevs=remap',
      ...['netdev user,id=net', 'device virtio-net-pci,netdev=net', 'device virtio-rng-pci'],
      'device virtio-balloon-pci,free-page-reporting=on',
      ...['device virtio-serial-pci', 'device virtserialport,chardev=channel,name=wherry'],
      'chardev socket,id=channel,path=/r/vm.sock,server=on,wait=off',
    ],
  );
});

for (const [kind, accelerator, beginning] of [
  ['x64', 'kvm', /^-M q35 -accel kvm -cpu host .*console=ttyS0 /],
  ['x64', 'hvf', /^-M q35 -accel hvf -cpu host /],
  ['x64', 'whpx', /^-M q35 -accel whpx,kernel-irqchip=off -cpu host /],
  ['arm64', 'kvm', /^-M virt -accel kvm -cpu host /],
  ['arm64', 'hvf', /^-M virt -accel hvf -cpu host .*console=ttyAMA0 /],
  ['arm64', 'whpx', /^-M virt -accel whpx -cpu host /],
  ['arm64', 'tcg', /^-M virt -accel tcg,thread=multi -cpu max /],
] as const) {
  test(`the machine for ${kind} by ${accelerator}`, () => {
    assert.match(qemuArguments({ kind, accelerator, share: '9p' }, parts).join(' '), beginning);
  });
}

const helped = { kind: 'x64', accelerator: 'kvm' } as const;

test('a machine whose directory is shared by virtiofs has memory that its server can use', () => {
  const line = qemuArguments({ ...helped, share: 'virtiofs' }, parts).join(' ');
  assert.match(line, /wherry\.sharetype=virtiofs/);
  assert.match(
    line,
    /-object memory-backend-memfd,id=memory,size=2048M,share=on -machine memory-backend=memory /,
  );
  assert.match(
    line,
    /socket,id=share,path=\/r\/vm-share\.sock -device vhost-user-fs-pci,chardev=share,tag=share/,
  );
  assert.doesNotMatch(line, /virtfs/);
});

test('a machine without a shared directory has no file server', () => {
  const line = qemuArguments({ ...helped, share: '9p' }, { ...parts, sharedDir: undefined }).join(
    ' ',
  );
  assert.doesNotMatch(line, /virtfs|wherry\.share/);
});

test('the console tells the latest stage, and why the guest gave up', () => {
  const text = 'kernel talk\nwherry: stage one\r\nwherry: stage two\r\nwherry: failed no disk\r\n';
  const { stage, failure, tail } = parseConsole(text);
  assert.deepEqual([stage, failure], ['two', 'no disk']);
  assert.match(tail, /^kernel talk\nwherry: stage one\n/);
  assert.equal(parseConsole('').stage, 'loading the kernel');
  assert.match(parseConsole('[1.0] Kernel panic - not syncing').failure ?? '', /Kernel panic/);
});
