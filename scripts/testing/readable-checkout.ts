/** A clone may sit in a folder that the ordinary user cannot enter; then the tests run in a copy. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { $ } from 'zx';
import { commandAs, isRoot, type OrdinaryUser } from '../setup/ordinary-user.ts';

const NEEDED = [
  ...['src', 'scripts', 'test', 'docs', 'vm', 'dist', 'node_modules'],
  ...['README.md', 'CONTRIBUTING.md', 'AGENTS.md'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', '.npmrc'],
  ...['Dockerfile.test', '.dockerignore'],
];

/** A checkout that `user` can read: `root` itself, or a copy that vanishes when disposed of. */
export async function readableCheckout(
  root: string,
  user: OrdinaryUser,
): Promise<AsyncDisposable & { readonly root: string }> {
  if (!isRoot() || (await canRead(root, user))) {
    return { root, [Symbol.asyncDispose]: async () => undefined };
  }
  const copy = await mkdtemp(join(tmpdir(), 'wherry-checkout-'));
  for (const name of NEEDED) {
    await cp(join(root, name), join(copy, name), { recursive: true, verbatimSymlinks: true }).catch(
      ignoreMissing,
    );
  }
  await $({ quiet: true })`chmod -R a+rX ${copy}`;
  return { root: copy, [Symbol.asyncDispose]: () => rm(copy, { recursive: true, force: true }) };
}

async function canRead(root: string, user: OrdinaryUser): Promise<boolean> {
  const look = [
    'find',
    root,
    '-path',
    join(root, '.git'),
    '-prune',
    '-o',
    '!',
    '-readable',
    '-print',
  ];
  const { exitCode, stdout } = await $({ quiet: true, nothrow: true })`${commandAs(user, look)}`;
  return exitCode === 0 && stdout === '';
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
