/** `default-address-pools`: ranges that subnets of networks are cut from. Pure. Rules are those of dockerd. */
import { isIPv4, isIPv6 } from 'node:net';
import * as v from 'valibot';
import type { SubnetPool } from '../../handshake/host-facts.ts';
import { badSetting } from './settings-errors.ts';

const fileSchema = v.array(v.object({ base: v.string(), size: v.number() }));

/** The pools in a configuration file. */
export function decodeAddressPools(raw: unknown, what: string): readonly SubnetPool[] {
  const result = v.safeParse(fileSchema, raw);
  if (!result.success) throw badSetting(what, result.issues[0].message);
  for (const pool of result.output) checkPool(pool, what);
  return result.output;
}

/** A pool as a flag has it: `base=172.30.0.0/16,size=24`. */
export function decodeAddressPoolText(text: string, what: string): SubnetPool {
  const fields = new Map(
    text.split(',').map((field) => {
      const [name = '', ...value] = field.split('=');
      return [name.trim(), value.join('=').trim()];
    }),
  );
  const pool = { base: fields.get('base') ?? '', size: Number(fields.get('size') ?? Number.NaN) };
  if (fields.size !== 2) throw badSetting(what, `"${text}" is not base=NETWORK,size=BITS`);
  checkPool(pool, what);
  return pool;
}

function checkPool({ base, size }: SubnetPool, what: string): void {
  const [address = '', length = ''] = base.split('/');
  const bits = isIPv4(address) ? 32 : 128;
  const isNetwork = (isIPv4(address) || isIPv6(address)) && /^\d{1,3}$/.test(length);
  if (!isNetwork || Number(length) > bits) throw badSetting(what, `"${base}" is not a network`);
  // Two addresses at least: the bridge and a container.
  if (!Number.isInteger(size) || size < Number(length) || size > bits - 2) {
    throw badSetting(what, `${base} cannot be cut into networks of ${size} bits`);
  }
}
