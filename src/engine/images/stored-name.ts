/** Names of images as documents keep them. */
import {
  canonicalReference,
  type ImageReference,
  parseReference,
  repositoryName,
} from '../../oci/reference.ts';
import { invalidReference } from './image-errors.ts';

/** The form in which documents keep a name: with a digest, the tag does not count. */
export function storedName(reference: ImageReference): string {
  return reference.digest === undefined
    ? canonicalReference(reference)
    : `${repositoryName(reference)}@${reference.digest}`;
}

/** A full reference as documents keep it, taken apart again. */
export function parseStoredName(name: string): ImageReference {
  const parsed = parseReference(name);
  if (!parsed.ok) throw invalidReference(parsed.problem);
  return parsed.reference;
}
