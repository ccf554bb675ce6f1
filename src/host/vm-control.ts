/** Port: what `wherry vm` can do with the image of the virtual machine. Implemented in `bin`. */

/** What there is for one kind of processor. */
export interface VmImageReport {
  readonly dir: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly files: readonly {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
  }[];
}

/** Values of flags; absent ones have the recipe's or this machine's value. */
export interface BuildImageOptions {
  readonly architecture?: string;
  readonly outputDir?: string;
  readonly recipeDir?: string;
  readonly archive?: string;
  readonly npmRegistry?: string;
  /** Also a root for WSL. */
  readonly withTar: boolean;
  /** Also packed files, to be served to `pullImage`. */
  readonly withPacked: boolean;
}

export interface PullImageOptions {
  /** Directory of a published image, a URL. */
  readonly url: string;
  /** Of its `image.json`, in hex; absent to trust the server. */
  readonly sha256?: string;
  readonly outputDir?: string;
}

/** `onStep` is told what is being done. */
export interface VmControl {
  buildImage(options: BuildImageOptions, onStep: (text: string) => void): Promise<VmImageReport>;
  pullImage(options: PullImageOptions, onStep: (text: string) => void): Promise<VmImageReport>;
}
