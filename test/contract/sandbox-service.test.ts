import { FakeSandboxService } from '../../src/network/fake/fake-sandbox-service.ts';
import { testSandboxServiceContract } from './sandbox-service.ts';

testSandboxServiceContract('in memory', async () => ({
  service: new FakeSandboxService(),
  [Symbol.asyncDispose]: async () => undefined,
}));
