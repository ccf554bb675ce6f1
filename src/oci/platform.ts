/** Platforms (`os/architecture[/variant]`) as in the OCI image index. */

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
}
