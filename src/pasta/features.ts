/** What the installed pasta can do, read from its own help text once. */
import { run } from '../sys/exec/run.ts';
import { notPasta } from './pasta-errors.ts';

/** Abilities of one pasta binary. */
export interface PastaFeatures {
  /** As it names itself; builds of distributions often say `unknown version`. */
  readonly version: string;
  /** It sets address and routes of the interface inside. */
  readonly configuresNetwork: boolean;
  readonly namesInterface: boolean;
  readonly forwardsDns: boolean;
  /** The gateway's address can be kept from meaning the host's loopback. */
  readonly closesHostLoopback: boolean;
}

const PROBE_TIMEOUT_MS = 5_000;

/** Runs the binary twice (`--version`, `--help`) and reads its abilities. `unavailable` when it is not there. */
export async function detectPastaFeatures(file: string): Promise<PastaFeatures> {
  const [version, help] = await Promise.all(
    ['--version', '--help'].map((option) =>
      run({ file, args: [option] }, { timeoutMs: PROBE_TIMEOUT_MS }),
    ),
  );
  if (version === undefined || help === undefined) throw notPasta('no answer to a probe');
  return parsePastaFeatures(version.stdout, help.stdout + help.stderr);
}

/** Reads the texts of `--version` and `--help`. `unavailable` when they are not those of pasta. */
export function parsePastaFeatures(versionText: string, helpText: string): PastaFeatures {
  const version = /^pasta (.+)$/m.exec(versionText)?.[1];
  if (version === undefined) throw notPasta('its version text cannot be read');
  const has = (option: string) => helpText.includes(`--${option}`);
  return {
    version: version.trim(),
    configuresNetwork: has('config-net'),
    namesInterface: has('ns-ifname'),
    forwardsDns: has('dns-forward'),
    closesHostLoopback: has('no-map-gw'),
  };
}
