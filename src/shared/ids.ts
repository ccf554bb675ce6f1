/** Branded identifiers. Only the parsers and makers of this file produce them. */
import { randomBytes } from 'node:crypto';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

/** 64 lower-case hexadecimal digits naming a container. */
export type ContainerId = Brand<'ContainerId'>;
/** 64 lower-case hexadecimal digits naming an exec session. */
export type ExecId = Brand<'ExecId'>;
/** 64 lower-case hexadecimal digits naming a network. */
export type NetworkId = Brand<'NetworkId'>;

const HEX_ID = /^[0-9a-f]{64}$/;

/** A fresh random 64-digit id, as Docker makes them. */
export function randomId(): string {
  return randomBytes(32).toString('hex');
}

/** True for a full 64-digit hexadecimal id. */
export function isFullId(text: string): boolean {
  return HEX_ID.test(text);
}

/** The id as a container id, or undefined when it is not a full one. */
export function parseContainerId(text: string): ContainerId | undefined {
  return isFullId(text) ? (text as ContainerId) : undefined;
}

export function newContainerId(): ContainerId {
  return randomId() as ContainerId;
}

export function newExecId(): ExecId {
  return randomId() as ExecId;
}

export function newNetworkId(): NetworkId {
  return randomId() as NetworkId;
}

/** The 12-digit form that Docker prints. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
