/** A real `docker-registry` on a loopback port with storage of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ImageRecipe, imageBlobs } from '../../scripts/image/image-archive.ts';
import type { CertificateFiles } from './certificates.ts';
import { eventually } from './eventually.ts';
import { pushImage } from './push-image.ts';
import { type RunningCommand, startCommand } from './run-command.ts';

/** How a registry differs from an open one without encryption. */
export interface TestRegistryOptions {
  /** A literal address to listen on. */
  readonly address?: string;
  readonly certificate?: CertificateFiles;
  /** PEM file of the authority whose clients get in, and no others. */
  readonly clientAuthority?: string;
  /** A line for htpasswd(1) with a bcrypt hash. */
  readonly user?: string;
}

/** Line for `TestRegistryOptions.user`, and what it stands for. */
export const REGISTRY_USER = {
  line: 'mate:$2b$04$7J4VJVqtzHGy253AjmCeG.wlkIlUNIbhVBHcYboXkR4gxG73OdOpu\n',
  name: 'mate',
  password: 'ballast',
} as const;

/** A running registry; ends and forgets everything when disposed of. */
export class TestRegistry implements AsyncDisposable {
  /** `127.0.0.1:PORT`, the first part of the references of its images. */
  readonly host: string;
  readonly #process: RunningCommand;
  readonly #dir: string;

  private constructor(found: { host: string; process: RunningCommand; dir: string }) {
    this.host = found.host;
    this.#process = found.process;
    this.#dir = found.dir;
  }

  /** Starts a registry on a free port. */
  static async start(options: TestRegistryOptions = {}): Promise<TestRegistry> {
    const dir = await mkdtemp(join(tmpdir(), 'registry-'));
    const config = join(dir, 'config.json');
    const access = join(dir, 'htpasswd');
    await writeFile(access, options.user ?? '');
    await writeFile(
      config,
      JSON.stringify(configuration({ ...options, storage: join(dir, 'storage'), access })),
    );
    const process = startCommand(['docker-registry', 'serve', config], { timeoutMs: 3_600_000 });
    try {
      const host = await eventually(
        () => /listening on ([\d.]+:\d+)/.exec(process.stdout + process.stderr)?.[1],
      );
      return new TestRegistry({ host, process, dir });
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Uploads an image; answers its full reference and the digest of its manifest. */
  async push(recipe: ImageRecipe): Promise<{ reference: string; digest: string }> {
    const [repository = '', tag = 'latest'] = recipe.reference.split(':');
    const image = imageBlobs(recipe);
    await pushImage({ registryUrl: `http://${this.host}`, repository, tag }, image);
    return { reference: `${this.host}/${repository}:${tag}`, digest: image.manifest.digest };
  }

  /** Where the registry keeps the bytes of a blob, for tests that spoil them. */
  blobPath(digest: string): string {
    const hex = digest.replace('sha256:', '');
    const blobs = join(this.#dir, 'storage/docker/registry/v2/blobs/sha256');
    return join(blobs, hex.slice(0, 2), hex, 'data');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
    await rm(this.#dir, { recursive: true, force: true });
  }
}

function configuration(
  given: TestRegistryOptions & { readonly storage: string; readonly access: string },
): unknown {
  const { certificate, clientAuthority, user, storage, access } = given;
  const clients = clientAuthority === undefined ? {} : { clientcas: [clientAuthority] };
  const tls =
    certificate === undefined
      ? {}
      : { tls: { certificate: certificate.certificate, key: certificate.key, ...clients } };
  const auth = user === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: access } } };
  return {
    version: '0.1',
    log: { level: 'info', formatter: 'text', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `${given.address ?? '127.0.0.1'}:0`, secret: 'of a test', ...tls },
    ...auth,
  };
}
