/** What was found damaged at start, as sentences for `docker info`, `wherry status` and the log. */
import type { Logger } from '../shared/logger.ts';
import type { QuarantinedDocument } from '../state/quarantine.ts';

/** Collects what stores report while they are opened. */
export class DamageReport {
  readonly #logger: Logger;
  readonly #lines: string[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A document that was put aside, or that is missing where its files are. */
  readonly add = ({ path, reason, movedTo }: QuarantinedDocument): void => {
    const place = movedTo === undefined ? '' : `; it was moved to ${movedTo}`;
    const line = `${path} cannot be used: ${reason}${place}`;
    this.#lines.push(line);
    this.#logger.error(line);
  };

  get lines(): readonly string[] {
    return this.#lines;
  }
}
