/** Programs for fake tasks. */
import type { FakeProgram } from './fake-process.ts';

const never = new Promise<number>(() => undefined);

/** By the name that the first argument gives. */
export const FAKE_PROGRAMS: Readonly<Record<string, FakeProgram>> = {
  /** `exit CODE` */
  exit: async ({ args }) => Number(args[0] ?? '0'),
  /** `print STDOUT STDERR` */
  print: async ({ args, print }) => {
    await print('stdout', args[0] ?? '');
    await print('stderr', args[1] ?? '');
    return 0;
  },
  /** Runs until it is killed. */
  sleep: () => never,
  /** `on-signal SIGNAL CODE`: prints `ready`, runs until the signal comes. */
  'on-signal': async ({ args, onSignal, print }) => {
    const signalled = new Promise<number>((resolve) => {
      onSignal(Number(args[0]), () => resolve(Number(args[1])));
    });
    await print('stdout', 'ready\n');
    return await signalled;
  },
  /** Copies stdin to stdout. */
  cat: async ({ input, print }) => {
    for await (const chunk of input) await print('stdout', chunk);
    return 0;
  },
  /** Prints the size of its terminal for every piece of input. */
  sizes: async ({ input, print, size }) => {
    for await (const _ of input) {
      const now = size();
      await print('stdout', `${now?.rows ?? 0} ${now?.columns ?? 0}\n`);
    }
    return 0;
  },
};
