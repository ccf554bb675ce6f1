import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMountInfo, unescapeMountPath } from './mount-table.ts';

describe('the mount table', () => {
  it('splits a line at the dash that ends the propagation fields', () => {
    const line =
      '36 35 98:0 /sub /mnt/here rw,noatime shared:1 master:2 - ext4 /dev/root rw,errors=continue';
    assert.deepEqual(parseMountInfo(line), [
      {
        id: 36,
        parentId: 35,
        root: '/sub',
        mountPoint: '/mnt/here',
        options: ['rw', 'noatime'],
        propagation: ['shared:1', 'master:2'],
        type: 'ext4',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
    ]);
  });

  it('reads a private mount, which has no propagation field', () => {
    const [entry] = parseMountInfo('1 2 0:3 / / rw - tmpfs none rw');
    assert.deepEqual(entry?.propagation, []);
    assert.equal(entry?.type, 'tmpfs');
  });

  it('undoes octal escapes', () => {
    assert.equal(unescapeMountPath('/a\\040b\\011c\\012d\\134e'), '/a b\tc\nd\\e');
  });

  it('leaves out what is no mount line', () => {
    assert.deepEqual(parseMountInfo('\n1 2 3\n'), []);
  });
});
