/** The host process as a program of its own: what `wherry up` starts in the background. */
import { startHost } from './start-host.ts';

await startHost(process.argv.slice(2));
