/** Bringing documents of earlier versions up to date. */
import { newerDocument, undecodable } from './state-errors.ts';

/** A document before it is decoded. */
export type RawDocument = Readonly<Record<string, unknown>>;

/** How documents of one noun reach the present version, `v` in each of them. */
export interface MigrationPlan {
  /** The version this program writes. */
  readonly current: number;
  /** `steps[n]` turns version n into n+1. Pure. Every version from the oldest supported to `current - 1` is there. */
  readonly steps: Readonly<Record<number, (document: RawDocument) => RawDocument>>;
}

/** Of documents that have had one version only. */
export const FIRST_VERSION: MigrationPlan = { current: 1, steps: {} };

/**
 * The document at the present version. `unavailable` for one of a newer program (which must stop the start),
 * `corrupt` for one without a version or of a version that no step knows.
 */
export function migrate(raw: unknown, plan: MigrationPlan, path: string): RawDocument {
  let document = asObject(raw, path);
  let version = versionOf(document, path);
  if (version > plan.current) throw newerDocument(path, version, plan.current);
  while (version < plan.current) {
    const step = plan.steps[version];
    if (step === undefined) throw undecodable(path, `no migration from version ${version}`);
    document = { ...step(document), v: version + 1 };
    version += 1;
  }
  return document;
}

function asObject(raw: unknown, path: string): RawDocument {
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return raw as RawDocument;
  throw undecodable(path, 'not an object');
}

function versionOf(document: RawDocument, path: string): number {
  const version = document['v'];
  if (typeof version === 'number' && Number.isInteger(version) && version > 0) return version;
  throw undecodable(path, 'no document version');
}
