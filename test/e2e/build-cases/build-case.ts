/** One row of the tables of Dockerfiles. The same rows go through every door. */

export interface BuildCase {
  /** What it shows. */
  readonly name: string;
  /** `BASE` stands for a small image with a shell. Steps prove by `RUN` what they have come to. */
  readonly dockerfile: string;
  /** Files of the context by path; what ends in `*` is executable. */
  readonly files?: Readonly<Record<string, string>>;
  /** Symbolic links of the context: path and target. */
  readonly links?: Readonly<Record<string, string>>;
  /** Flags of `docker build`. */
  readonly flags?: readonly string[];
  /** Parts of the image's config. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The build fails with this. */
  readonly fails?: RegExp;
  /** The door cannot do that; the reason. */
  readonly notIn?: Readonly<Record<string, string>>;
}
