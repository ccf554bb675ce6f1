/** Builds that make more than one manifest: several platforms, and provenance beside an image. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { has, requires } from '../support/capabilities.ts';
import { startDaemon } from '../support/daemon.ts';
import { BUILDX_SUITES, DockerClient } from '../support/docker-client.ts';
import { writeTree } from '../support/files.ts';
import { BUSYBOX } from '../support/images.ts';
import { TestRegistry } from '../support/registry.ts';
import { runCommand } from '../support/run-command.ts';

const needed = requires('docker-clients', 'docker-registry');
const registry = await TestRegistry.start();
after(() => registry[Symbol.asyncDispose]());
const daemon = await startDaemon();
after(() => daemon[Symbol.asyncDispose]());

interface Entry {
  readonly digest: string;
  readonly platform?: { readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Document {
  readonly manifests: readonly Entry[];
  readonly layers: readonly Entry[];
}

const PROJECT = {
  Dockerfile: `FROM --platform=$BUILDPLATFORM ${BUSYBOX} AS native
RUN echo said > /said
ARG WORD=none
CMD ["cat", "/said"]
FROM scratch AS files
ARG TARGETARCH
COPY file /$TARGETARCH
LABEL arch=$TARGETARCH
FROM files AS foreign
COPY --chmod=755 program /bin/sh
RUN echo
`,
  file: 'hello',
  // The head of a program for s390x.
  program: `\x7fELF\x02\x02\x01${'\0'.repeat(9)}\0\x02\0\x16\0\0\0\x01${'\0'.repeat(40)}`,
};

for (const suite of has('docker-clients') ? BUILDX_SUITES : []) {
  describe(`indexes with buildx of ${suite}`, needed, () => {
    const cwd = join(daemon.home.root, `index-${suite}`);
    writeTree(cwd, PROJECT);
    const client = new DockerClient(daemon, suite);
    const run = (...args: readonly string[]) => client.run({ cwd }, ...args);
    const ok = (...args: readonly string[]) => client.ok({ cwd }, ...args);
    const build = (...args: readonly string[]) =>
      ok('buildx', 'build', '--metadata-file', 'meta.json', ...args, '.');
    const meta = (): Readonly<Record<string, string>> =>
      JSON.parse(readFileSync(join(cwd, 'meta.json'), 'utf8'));
    const fetched = async (name: string, what: string): Promise<unknown> => {
      const accept =
        'application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json';
      const answer = await fetch(`http://${registry.host}/v2/${name}/${what}`, {
        headers: { accept },
      });
      assert.equal(answer.status, 200, what);
      return await answer.json();
    };
    const manifest = async (name: string, ref: string) =>
      (await fetched(name, `manifests/${ref}`)) as Document;

    test('several platforms are stored under one name, run here, and pushed as an index', async () => {
      const name = `${registry.host}/both:${suite}`;
      const platforms = ['--platform', 'linux/amd64,linux/arm64', '--target', 'files'];
      await build(...platforms, '-t', name);
      assert.equal(await ok('image', 'inspect', '-f', '{{.Architecture}}', name), 'amd64');
      await build(...platforms, '-t', name, '--push');
      const digest = meta()['containerimage.digest'] ?? '';
      const index = await manifest('both', digest);
      assert.deepEqual(
        index.manifests.map(({ platform }) => platform?.architecture),
        ['amd64', 'arm64'],
      );
      await ok('rmi', '-f', name);
      await ok('builder', 'prune', '-af');
      await ok('pull', '-q', '--platform', 'linux/arm64', name);
      assert.equal(await ok('image', 'inspect', '-f', '{{.Config.Labels.arch}}', name), 'arm64');
      // What one build stored is pushed later, whole.
      const later = `${registry.host}/later:${suite}`;
      await build(...platforms, '-t', later);
      await ok('push', '-q', later);
      assert.equal((await manifest('later', suite)).manifests.length, 2);
    });

    test('several platforms go into one archive, under an index', async () => {
      const output = 'type=oci,dest=both.tar,name=docker.io/library/both:1';
      await build('--platform', 'linux/amd64,linux/arm64', '--target', 'files', '-o', output);
      const { stdout } = await runCommand(['tar', '-xOf', join(cwd, 'both.tar'), 'index.json']);
      const { manifests } = JSON.parse(stdout) as Document;
      assert.deepEqual(
        manifests.map(({ digest }) => digest),
        [meta()['containerimage.digest']],
      );
      await ok('load', '-i', 'both.tar');
      assert.equal(await ok('image', 'inspect', '-f', '{{.Architecture}}', 'both:1'), 'amd64');
    });

    test('a RUN for a platform that nothing runs here says so', async () => {
      const args = ['--platform', 'linux/s390x', '--target', 'foreign', '.'];
      const { code, stderr } = await run('buildx', 'build', ...args);
      assert.equal(code, 1);
      assert.match(stderr, /image is for linux\/s390x: .* emulator/);
    });

    test('provenance stands beside the image that it is about', async () => {
      const name = `${registry.host}/told:${suite}`;
      const args = ['--build-arg', 'WORD=quiet', '--target', 'native', '-t', name, '--push'];
      await build(...args, '--provenance', 'mode=max');
      const index = await manifest('told', meta()['containerimage.digest'] ?? '');
      const [image, attestation] = index.manifests;
      assert.equal(attestation?.annotations?.['vnd.docker.reference.digest'], image?.digest);
      const [layer] = (await manifest('told', attestation?.digest ?? '')).layers;
      const predicateType = layer?.annotations?.['in-toto.io/predicate-type'];
      assert.equal(predicateType, 'https://slsa.dev/provenance/v0.2');
      // biome-ignore lint/suspicious/noExplicitAny: a document of the client's world, looked at in places
      const statement = (await fetched('told', `blobs/${layer?.digest}`)) as any;
      assert.equal(`sha256:${statement.subject[0].digest.sha256}`, image?.digest);
      assert.match(statement.subject[0].name, /^pkg:docker\/127\..*told@.*platform=linux%2Famd64$/);
      assert.match(statement.predicate.materials[0].uri, /busybox/);
      const { args: told } = statement.predicate.invocation.parameters;
      assert.equal(told['build-arg:WORD'], 'quiet');
      await ok('rmi', name);
      await ok('pull', '-q', name);
      assert.equal(await ok('run', '--rm', name), 'said');
      await build(...args, '--provenance', 'mode=min');
      const least = await manifest('told', suite);
      const [small] = (await manifest('told', least.manifests[1]?.digest ?? '')).layers;
      const text = JSON.stringify(await fetched('told', `blobs/${small?.digest}`));
      assert.doesNotMatch(text, /quiet/);
      assert.match(text, /"reproducible":false/);
    });

    test('without being asked nothing is said, and what is made of the bill of materials is refused', async () => {
      const name = `${registry.host}/plain:${suite}`;
      await build('--target', 'files', '-t', name, '--push');
      assert.equal((await manifest('plain', suite)).manifests, undefined);
      const refused = await run('buildx', 'build', '--sbom=true', '.');
      assert.match(refused.stderr, /SBOM attestations are not supported/);
    });
  });
}
