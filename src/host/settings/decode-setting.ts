/** Values of single settings, from texts (flags, environment) and from JSON. Pure. */
import * as v from 'valibot';
import type { GcSettings } from '../../handshake/gc-settings.ts';
import type { RuntimeEntry, SubnetPool } from '../../handshake/host-facts.ts';
import { parseIpv6Prefix } from '../../sys/netlink/ipv6.ts';
import { decodeAddressPools, decodeAddressPoolText } from './address-pool-setting.ts';
import { decodeBuilder } from './builder-setting.ts';
import type { Setting } from './setting-table.ts';
import { badSetting } from './settings-errors.ts';

/** A decoded value, in the form its setting has. */
export type SettingValue =
  | string
  | number
  | boolean
  | readonly string[]
  | GcSettings
  | readonly SubnetPool[]
  | Readonly<Record<string, RuntimeEntry>>
  | Readonly<Record<string, string>>;

const runtimesSchema = v.record(
  v.string(),
  v.looseObject({
    path: v.pipe(v.string(), v.nonEmpty('a runtime needs a path')),
    runtimeArgs: v.optional(v.array(v.string())),
  }),
);

const USERNS_MODE = /^(?:host|keep-id(?::(?:uid=)?\d+(?:,(?:gid=)?\d+)?)?)$/;
const NUMBER = /^-?\d+$/;

/** Decodes the texts given for one flag or variable named `what`. The last one wins where only one can count, as with dockerd. */
export function decodeTexts(
  setting: Setting,
  texts: readonly string[],
  what: string,
): SettingValue {
  const last = texts.at(-1) ?? '';
  switch (setting.form) {
    case 'list':
      return checkList(setting, texts, what);
    case 'runtimes':
      return Object.fromEntries(texts.map((text) => decodeRuntimeText(text, what)));
    case 'pairs':
      return Object.fromEntries(texts.map((text) => decodePair(text, what)));
    case 'pools':
      return texts.map((text) => decodeAddressPoolText(text, what));
    case 'switch':
      if (last === 'true' || last === '1') return true;
      if (last === 'false' || last === '0') return false;
      throw badSetting(what, `"${last}" is neither true nor false`);
    case 'number':
      if (!NUMBER.test(last)) throw badSetting(what, `"${last}" is not a whole number`);
      return checkNumber(setting, Number(last), what);
    case 'text':
      return checkText(setting, last, what);
    case 'builder':
      throw badSetting(what, 'it can only be given in the configuration file');
  }
}

/** Decodes the JSON value of one key named `what`. */
export function decodeFileValue(setting: Setting, raw: unknown, what: string): SettingValue {
  switch (setting.form) {
    case 'list':
      return checkList(setting, parse(v.array(v.string()), raw, what), what);
    case 'runtimes': {
      const runtimes = parse(runtimesSchema, raw, what);
      return Object.fromEntries(
        Object.entries(runtimes).map(([name, { path, runtimeArgs }]) => [
          name,
          { path, args: runtimeArgs ?? [] },
        ]),
      );
    }
    case 'pairs':
      return parse(v.record(v.string(), v.string()), raw, what);
    case 'builder':
      return decodeBuilder(raw, what);
    case 'pools':
      return decodeAddressPools(raw, what);
    case 'switch':
      return parse(v.boolean(), raw, what);
    case 'number':
      return checkNumber(setting, parse(v.number(), raw, what), what);
    case 'text':
      return checkText(setting, parse(v.string(), raw, what), what);
  }
}

function parse<Schema extends v.GenericSchema>(
  schema: Schema,
  raw: unknown,
  what: string,
): v.InferOutput<Schema> {
  const result = v.safeParse(schema, raw);
  if (result.success) return result.output;
  throw badSetting(what, result.issues[0].message);
}

function checkText(setting: Setting, text: string, what: string): string {
  if (setting.words !== undefined && !setting.words.includes(text)) {
    throw badSetting(what, `"${text}" is not one of ${setting.words.join(', ')}`);
  }
  if (setting.key === 'default-userns' && !USERNS_MODE.test(text)) {
    throw badSetting(what, `"${text}" is not host, keep-id or keep-id:UID,GID`);
  }
  if (setting.key === 'fixed-cidr-v6' && parseIpv6Prefix(text) === undefined) {
    throw badSetting(what, `"${text}" is not an IPv6 network`);
  }
  if (setting.key === 'bip' || setting.key === 'fixed-cidr') checkBridgeAddress(text, what);
  return text;
}

function checkList(setting: Setting, texts: readonly string[], what: string): readonly string[] {
  for (const text of texts) {
    if (text.trim() === '') throw badSetting(what, 'an entry is empty');
    if (setting.key === 'registry-mirrors') checkMirror(text, what);
    if (setting.key === 'additional-image-stores' && !text.startsWith('/')) {
      throw badSetting(what, `"${text}" is not an absolute path`);
    }
  }
  return texts;
}

/** dockerd's own rule: a mirror is a URL without user, query or fragment. */
function checkMirror(text: string, what: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw badSetting(what, `"${text}" is not an http or https URL`);
  }
  if (url.username !== '' || url.search !== '' || url.hash !== '') {
    throw badSetting(what, 'a mirror has no user, query or fragment');
  }
}

function checkBridgeAddress(text: string, what: string): void {
  const [, address = '', prefix = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d{1,2})$/.exec(text) ?? [];
  const bytes = address.split('.').map(Number);
  if (
    bytes.length !== 4 ||
    bytes.some((byte) => byte > 255) ||
    Number(prefix) < 1 ||
    Number(prefix) > 30
  ) {
    throw badSetting(what, `"${text}" is not an IPv4 address with a prefix length`);
  }
}

function checkNumber({ least = -1 }: Setting, value: number, what: string): number {
  if (!Number.isInteger(value) || value < least) {
    throw badSetting(what, `${value} is not ${least} or more`);
  }
  return value;
}

function decodePair(text: string, what: string): readonly [string, string] {
  const [name = '', ...rest] = text.split('=');
  if (name === '' || rest.length === 0) throw badSetting(what, `"${text}" is not NAME=VALUE`);
  return [name, rest.join('=')];
}

function decodeRuntimeText(text: string, what: string): readonly [string, RuntimeEntry] {
  const [name = '', ...rest] = text.split('=');
  const path = rest.join('=');
  if (name === '' || path === '') throw badSetting(what, `"${text}" is not NAME=PATH`);
  return [name, { path, args: [] }];
}
