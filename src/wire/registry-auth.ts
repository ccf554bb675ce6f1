/** Registry credentials as clients send them in `X-Registry-Auth` (base64url JSON). */

export interface RegistryCredentials {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
  /** A token that stands in for user name and password. */
  readonly identityToken: string;
  readonly registryToken: string;
}
