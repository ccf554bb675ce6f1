/** What the installed slirp4netns can do, read from its own help text once. */
import { expectSuccess, run } from '../sys/exec/run.ts';
import { slirpRefused } from './slirp-errors.ts';

/** Abilities of one slirp4netns binary. */
export interface SlirpFeatures {
  /** E.g. `1.2.0`. */
  readonly version: string;
  readonly exitFd: boolean;
  readonly apiSocket: boolean;
  readonly disableHostLoopback: boolean;
  readonly sandbox: boolean;
  /** The option exists and the binary was built with libseccomp. */
  readonly seccomp: boolean;
  readonly ipv6: boolean;
}

const PROBE_TIMEOUT_MS = 5_000;

/** Runs the binary twice (`--version`, `--help`) and reads its abilities. `unavailable` when it is not there. */
export async function detectSlirpFeatures(file: string): Promise<SlirpFeatures> {
  const [version, help] = await Promise.all(
    ['--version', '--help'].map((option) =>
      run({ file, args: [option] }, { timeoutMs: PROBE_TIMEOUT_MS }),
    ),
  );
  if (version === undefined || help === undefined) throw slirpRefused('no answer to a probe');
  expectSuccess(version, 'ask slirp4netns for its version');
  return parseSlirpFeatures(version.stdout, help.stdout + help.stderr);
}

/** Reads the texts of `--version` and `--help`. `internal` when they are not those of slirp4netns. */
export function parseSlirpFeatures(versionText: string, helpText: string): SlirpFeatures {
  const version = /^slirp4netns version (\S+)/m.exec(versionText)?.[1];
  if (version === undefined) throw slirpRefused('its version text cannot be read');
  const has = (option: string) => helpText.includes(`--${option}`);
  return {
    version,
    exitFd: has('exit-fd'),
    apiSocket: has('api-socket'),
    disableHostLoopback: has('disable-host-loopback'),
    sandbox: has('enable-sandbox'),
    seccomp: has('enable-seccomp') && /^libseccomp:/m.test(versionText),
    ipv6: has('enable-ipv6'),
  };
}
