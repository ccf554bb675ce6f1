/** The proxies on the way to registries and archives. */
import type { DaemonSettings } from '../host/settings/daemon-settings.ts';

/** Settings win over the usual variables, in either case. Empty texts for none. */
export function proxiesOf(
  settings: Partial<Pick<DaemonSettings, 'httpProxy' | 'httpsProxy' | 'noProxy'>>,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly httpProxy: string; readonly httpsProxy: string; readonly noProxy: string } {
  const variable = (name: string) => environment[name] ?? environment[name.toLowerCase()] ?? '';
  return {
    httpProxy: settings.httpProxy ?? variable('HTTP_PROXY'),
    httpsProxy: settings.httpsProxy ?? variable('HTTPS_PROXY'),
    noProxy: settings.noProxy ?? variable('NO_PROXY'),
  };
}
