import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ContainerDeps } from '../../src/engine/containers/container-deps.ts';
import type { ContainerDocument } from '../../src/engine/containers/container-document.ts';
import { ContainerRegistry } from '../../src/engine/containers/container-registry.ts';
import { startOrRecordFailure } from '../../src/engine/containers/start-container.ts';
import { NO_FAILPOINTS } from '../../src/shared/failpoints.ts';
import { newContainerId } from '../../src/shared/ids.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { Collection } from '../../src/state/collection.ts';
import { mount, UmountFlag, umount } from '../../src/sys/libc.ts';

test('a start that fails because the disk has filled up meanwhile is over, with its reason', async () => {
  const disk = await mkdtemp(join(tmpdir(), 'wherry-start-'));
  mount({ source: 'none', target: disk, type: 'tmpfs', data: 'size=64k' });
  try {
    const id = newContainerId();
    const settings = { hostConfig: { LogConfig: { Type: 'none', Config: {} } }, config: {} };
    const document = { id, name: 'x', status: { state: 'created' }, ...settings };
    const registry = new ContainerRegistry(
      await Collection.open({
        dir: join(disk, 'containers'),
        documentName: 'container.json',
        decode: (raw) => raw as ContainerDocument,
      }),
    );
    registry.reserveName('x', id);
    await registry.add(document as ContainerDocument);
    const fill = async () => {
      await writeFile(join(disk, 'ballast'), Buffer.alloc(1 << 20));
    };
    const deps = {
      registry,
      logger: silentLogger,
      failpoints: NO_FAILPOINTS,
      snapshots: { mount: fill },
      files: { logPath: () => '' },
      logKeeper: { assertPossible: () => undefined },
    };
    await assert.rejects(
      startOrRecordFailure(deps as unknown as ContainerDeps, registry.get(id)),
      /ENOSPC/,
    );
    const { status } = registry.get(id);
    assert.equal(status.state, 'created');
    assert.match('error' in status ? (status.error ?? '') : '', /ENOSPC/);
  } finally {
    umount(disk, UmountFlag.detach);
    await rm(disk, { recursive: true });
  }
});
