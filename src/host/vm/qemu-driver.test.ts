import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConsole } from './console-log.ts';
import { chooseAccelerator, qemuArguments } from './qemu-driver.ts';
import type { VmParts } from './vm-driver.ts';

const OFFERED = 'Accelerators supported in QEMU binary:\ntcg\nkvm\n';
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

test('the best accelerator is taken that QEMU offers and we may use', () => {
  assert.equal(chooseAccelerator(OFFERED, true), 'kvm');
  assert.equal(chooseAccelerator(OFFERED, false), 'tcg');
  assert.equal(chooseAccelerator('hvf\ntcg', false), 'hvf');
  assert.equal(chooseAccelerator('whpx\r\ntcg\r\n', false), 'whpx');
});

test('the command line of a machine without help by the processor', () => {
  assert.deepEqual(qemuArguments('x64', 'tcg', parts).join(' ').split(' -'), [
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
  ]);
});

test('a helped machine has the processor of the host, an arm64 one its own console', () => {
  const line = qemuArguments('arm64', 'hvf', parts).join(' ');
  assert.match(line, /^-M virt -accel hvf -cpu host .*console=ttyAMA0 /);
});

test('a machine without a shared directory has no file server', () => {
  const line = qemuArguments('x64', 'kvm', { ...parts, sharedDir: undefined }).join(' ');
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
