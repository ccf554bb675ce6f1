import { FakeSandboxService } from '../../src/network/fake/fake-sandbox-service.ts';
import { testSandboxServiceContract } from './sandbox-service.ts';

testSandboxServiceContract('in memory', async () => {
  const service = new FakeSandboxService();
  return {
    service,
    addNetwork: async (name) => service.addNetwork(name),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
