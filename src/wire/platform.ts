/** A platform as clients send it in queries: JSON of an OCI image-spec platform (since API 1.46 for pushes). */
import * as v from 'valibot';
import { normalizePlatform, type Platform } from '../oci/platform.ts';
import { decode, struct, text } from './decode.ts';
import { invalidPlatformQuery } from './wire-errors.ts';

const PlatformSchema = struct({
  os: text,
  architecture: text,
  variant: v.optional(text, ''),
  'os.version': v.optional(text, ''),
});

/** `invalid-argument` when the text is not JSON of a platform. */
export function decodePlatform(json: string): Platform {
  try {
    return normalizePlatform(decode(PlatformSchema, JSON.parse(json)));
  } catch (error) {
    throw invalidPlatformQuery(json, error);
  }
}
