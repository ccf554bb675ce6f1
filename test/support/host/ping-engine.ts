/** An engine that answers pings and holds published ports: all that tests of the host need of one. */
import { createServer, type Server } from 'node:http';
import type { EngineParts } from '../../../src/bin/engine-composition.ts';
import { runEngine } from '../../../src/bin/run-engine.ts';

function answer(parts: EngineParts, url: string): Promise<unknown> {
  const address = new URL(url, 'http://x');
  const port = Number(address.searchParams.get('port'));
  switch (address.pathname) {
    case '/publish':
      return parts.hostListeners.open({ protocol: 'tcp', hostIp: '127.0.0.1', hostPort: port });
    case '/held':
      return parts.hostListeners.held().then((held) => [...held]);
    case '/dial':
      return parts.hostDialer.connect({ host: '127.0.0.1', port }).then(
        (socket) =>
          new Promise((resolve) => {
            socket.once('data', (chunk) => resolve(chunk.toString()));
          }),
      );
    case '/facts':
      return Promise.resolve(parts.facts);
    default:
      return Promise.resolve({ pid: process.pid });
  }
}

const exitCode = await runEngine(
  { argv: process.argv.slice(2), environment: process.env },
  async (parts) => {
    const servers = new Set<Server>();
    return {
      warnings: [],
      serve: (fd) =>
        new Promise((resolve) => {
          const server = createServer((request, response) => {
            answer(parts, request.url ?? '/').then(
              (body) => response.end(JSON.stringify(body)),
              (error) => {
                response.statusCode = 500;
                response.end(JSON.stringify({ message: error.message, kind: error.kind }));
              },
            );
          });
          servers.add(server);
          server.listen({ fd }, resolve);
        }),
      stop: async () => {
        for (const server of servers) server.close();
      },
    };
  },
);
process.exit(exitCode);
