/** What every `HostListeners` does. Binds sockets of loopback. */
import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import type { HostListeners, ListenRequest } from '../../src/network/port-publisher.ts';
import { EngineError } from '../../src/shared/errors.ts';

const tcp: ListenRequest = { protocol: 'tcp', hostIp: '127.0.0.1', hostPort: 0 };

/** Runs the suite; `make` is called once for each test. */
export function testHostListenersContract(name: string, make: () => Promise<HostListeners>): void {
  describe(`host listeners: ${name}`, () => {
    test('a random port is chosen and named, and accepts connections', async () => {
      const host = await make();
      const listener = await host.open(tcp);
      assert.ok(listener.hostPort > 0);
      assert.equal(await connects(listener.hostPort), true);
      closeSync(listener.fd);
      await host.close(listener.listenerId);
      assert.equal(await connects(listener.hostPort), false);
    });

    test('closing twice succeeds and frees the port', async () => {
      const host = await make();
      const listener = await host.open(tcp);
      closeSync(listener.fd);
      await host.close(listener.listenerId);
      await host.close(listener.listenerId);
      const again = await host.open({ ...tcp, hostPort: listener.hostPort });
      assert.equal(again.hostPort, listener.hostPort);
      closeSync(again.fd);
      await host.close(again.listenerId);
    });

    test('a taken port is a conflict that carries the code', async () => {
      const host = await make();
      const holder = await host.open(tcp);
      await assert.rejects(host.open({ ...tcp, hostPort: holder.hostPort }), (error) => {
        assert.ok(error instanceof EngineError);
        assert.equal(error.kind, 'conflict');
        assert.equal(error.details['code'], 'EADDRINUSE');
        return true;
      });
      closeSync(holder.fd);
      await host.close(holder.listenerId);
    });

    test('a held listener is listed and handed over again', async () => {
      const host = await make();
      const listener = await host.open({ ...tcp, protocol: 'udp' });
      closeSync(listener.fd);
      const { listenerId, hostIp, hostPort } = listener;
      assert.deepEqual(await host.held(), [{ listenerId, protocol: 'udp', hostIp, hostPort }]);
      const adopted = await host.adopt(listenerId);
      assert.deepEqual({ ...adopted, fd: 0 }, { listenerId, hostIp, hostPort, fd: 0 });
      closeSync(adopted.fd);
      await host.close(listenerId);
      assert.deepEqual(await host.held(), []);
    });

    test('a listener that is not held cannot be taken over', async () => {
      const host = await make();
      await assert.rejects(host.adopt('f'.repeat(64)));
    });
  });
}

/** Whether somebody listens on a port of loopback. */
function connects(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
