/** Who asks a registry: with the credentials that the client sent, or else with those that the user has laid down. */
import type { Clock } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { RegistryCredentials } from '../../wire/registry-auth.ts';

/** Looks up what the user has for a registry. Rejects when that cannot be told. */
export type FindCredentials = (domain: string) => Promise<RegistryCredentials | undefined>;

/** Where an account's credentials come from when the client sent none. */
export interface CredentialLookup {
  readonly find: () => Promise<RegistryCredentials | undefined>;
  readonly clock: Clock;
}

/** Several requests of one pull share a lookup, which may start a program; a new login counts soon after. */
const KEPT_MS = 5_000;

export class Account {
  readonly #given: RegistryCredentials | undefined;
  readonly #lookup: CredentialLookup | undefined;
  #found:
    | { readonly atMs: number; readonly what: Promise<RegistryCredentials | undefined> }
    | undefined;
  #trouble = '';

  constructor(given: RegistryCredentials | undefined, lookup?: CredentialLookup) {
    this.#given = given;
    this.#lookup = lookup;
  }

  /** A ready-made token that the client sent; empty without one. */
  get givenToken(): string {
    return this.#given?.registryToken ?? '';
  }

  /** For how long what was made of the credentials counts: after a logout the user's own must not go on. */
  get lifeMs(): number {
    return this.#given === undefined ? KEPT_MS : Number.POSITIVE_INFINITY;
  }

  /** Why the user's own credentials could not be had when they were last looked for; empty when they could. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Never rejects: many registries also let in those who have nothing to show. */
  async credentials(): Promise<RegistryCredentials | undefined> {
    if (this.#given !== undefined || this.#lookup === undefined) return this.#given;
    const { find, clock } = this.#lookup;
    if (this.#found === undefined || clock.now() - this.#found.atMs > KEPT_MS) {
      this.#found = { atMs: clock.now(), what: find() };
      this.#trouble = '';
    }
    const { what } = this.#found;
    try {
      const credentials = await what;
      if (credentials === undefined) this.#forget(what);
      return credentials;
    } catch (error) {
      this.#forget(what);
      this.#trouble = messageOf(error);
      return undefined;
    }
  }

  /** What was not there may be there the next time. */
  #forget(what: Promise<unknown>): void {
    if (this.#found?.what === what) this.#found = undefined;
  }
}

/** For those who must not see any credentials. */
export const NOBODY = new Account(undefined);
