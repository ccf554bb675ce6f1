/**
 * Runs inside of a container in the place of Testcontainers' reaper and keeps its documented protocol: clients connect to
 * port 8080, send lines of filters (`label=a=b&label=c`), and are answered `ACK`. Once the last client has been gone
 * for the reconnection time-out, what the filters match is removed through the docker socket, and the reaper ends.
 * Needs nothing but Node.
 */
import { request } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

const DOCKER_SOCKET = '/var/run/docker.sock';
const REAPER_LABEL = 'org.testcontainers.ryuk';
const PORT = 8080;
const CONNECTION_TIMEOUT_MS = 60_000;
const RECONNECTION_TIMEOUT_MS = 10_000;

const filters = new Set<string>();
let connected = 0;
let deadline = setTimeout(() => void reap(), CONNECTION_TIMEOUT_MS);

createServer(serve).listen(PORT, '0.0.0.0', () => {
  console.log(`Started on port ${PORT}`);
});

function serve(client: Socket): void {
  clearTimeout(deadline);
  connected += 1;
  client.on('error', () => undefined);
  client.on('close', () => {
    connected -= 1;
    if (connected === 0) deadline = setTimeout(() => void reap(), RECONNECTION_TIMEOUT_MS);
  });
  createInterface({ input: client }).on('line', (line) => {
    const text = line.trim();
    if (text === '') return;
    filters.add(text);
    client.write('ACK\n');
  });
}

async function reap(): Promise<void> {
  const counts = { containers: 0, networks: 0, volumes: 0, images: 0 };
  for (const filter of filters) {
    const query = encodeURIComponent(JSON.stringify({ label: labelsOf(filter) }));
    for (const { Id, Labels } of list(
      await ask('GET', `/containers/json?all=1&filters=${query}`),
    )) {
      // Reapers carry the label of their session themselves.
      if (Labels?.[REAPER_LABEL] === 'true') continue;
      await ask('DELETE', `/containers/${Id}?force=1&v=1`);
      counts.containers += 1;
    }
    for (const { Id } of list(await ask('GET', `/networks?filters=${query}`))) {
      await ask('DELETE', `/networks/${Id}`);
      counts.networks += 1;
    }
    const volumes = (await ask('GET', `/volumes?filters=${query}`)) as { Volumes: unknown };
    for (const { Name } of list(volumes.Volumes)) {
      await ask('DELETE', `/volumes/${Name}?force=1`);
      counts.volumes += 1;
    }
    for (const { Id } of list(await ask('GET', `/images/json?filters=${query}`))) {
      await ask('DELETE', `/images/${Id}?force=1`);
      counts.images += 1;
    }
  }
  console.log(`Removed ${JSON.stringify(counts)}`);
  process.exit(0);
}

function labelsOf(filter: string): readonly string[] {
  return filter.split('&').map((part) => part.replace(/^label=/, ''));
}

interface Listed {
  readonly Id: string;
  readonly Name: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
}

function list(answer: unknown): readonly Listed[] {
  return Array.isArray(answer) ? answer : [];
}

/** One call of the engine's API; undefined where the answer has no body. Rejects with the engine's message. */
function ask(method: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath: DOCKER_SOCKET, method, path }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`));
        else resolve(text === '' ? undefined : JSON.parse(text));
      });
    });
    call.on('error', reject);
    call.end();
  });
}
