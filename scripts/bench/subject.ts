/** An engine to be measured: anything that answers the Docker API on a unix socket. */
import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { runCommand } from '../../test/support/run-command.ts';

/** A started engine with the busybox image in it. */
export interface Subject extends AsyncDisposable {
  readonly name: string;
  readonly socketPath: string;
  readonly image: string;
  /** The client that is typed: docker, or a peer's own where docker's does not fit it. */
  readonly cli: readonly string[];
  /** Arguments that pull from a registry without TLS, before the reference. */
  readonly pull: readonly string[];
  /** What builds images, before the tag and the directory, and its variables. */
  readonly builder: {
    readonly argv: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
  /** Variables of the client. */
  readonly env: Readonly<Record<string, string>>;
  /** How long it took from the start of the program to the first answer, in milliseconds. */
  readonly coldStartMs: number;
  /** All processes of the engine and of its containers. */
  processIds(): Promise<readonly number[]>;
}

/** Runs the subject's client and demands success. */
export async function runClient(subject: Subject, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand([...subject.cli, ...args], {
    env: subject.env,
  });
  if (code !== 0) throw new Error(`${subject.name}: ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** Calls the API over one kept connection per subject and demands success. */
export class ApiClient implements Disposable {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor({ socketPath }: Subject) {
    this.#socketPath = socketPath;
  }

  call(method: string, path: string, body?: unknown): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const options = { socketPath: this.#socketPath, agent: this.#agent, method, path, headers };
      const call = request(options, (response) => {
        buffer(response).then((answer) => {
          if ((response.statusCode ?? 0) < 400) resolve(answer);
          else reject(new Error(`${method} ${path}: ${answer.toString()}`));
        }, reject);
      });
      call.on('error', reject);
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
