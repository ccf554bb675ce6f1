/** From the progress of a build to the lines of the classic builder, in the order of the steps. */
import type { BuildWarning } from '../../dockerfile/source-place.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { shortId } from '../../shared/ids.ts';
import type { ProgressMessage } from '../../wire/json-stream.ts';
import type { BuildProgress, BuildStep, BuildStepEnd, VertexLog } from '../build-progress.ts';

/** Colours of a terminal: the classic builder shows what commands write to stderr in red. */
const RED = '\x1b[91m';
const PLAIN = '\x1b[0m';

/** Lines of a step that was not yet due. */
interface StepLines {
  readonly lines: string[];
  hasEnded: boolean;
  hasOutput: boolean;
}

/** Steps that run at the same time are told one after the other. */
export class StepStream implements BuildProgress {
  readonly #send: (message: ProgressMessage) => void;
  readonly #removesContainers: boolean;
  readonly #steps = new Map<number, StepLines>();
  #due = 1;

  constructor(send: (message: ProgressMessage) => void, removesContainers: boolean) {
    this.#send = send;
    this.#removesContainers = removesContainers;
  }

  stepStarted(step: BuildStep): void {
    this.#say(step, `Step ${step.number}/${step.total} : ${step.text}`);
    this.#say(step, '\n');
  }

  stepOutput(step: BuildStep, { stream, data }: VertexLog): void {
    const lines = this.#linesOf(step);
    if (!lines.hasOutput) this.#say(step, ` ---> Running in ${containerOf(step)}\n`);
    lines.hasOutput = true;
    const text = Buffer.from(data).toString('utf8');
    this.#say(step, stream === 'stderr' ? `${RED}${text}${PLAIN}` : text);
  }

  stepEnded({ step, cached, stateId }: BuildStepEnd): void {
    const isFrom = step.text.startsWith('FROM ');
    if (cached && !isFrom) this.#say(step, ' ---> Using cache\n');
    const isRun = step.text.startsWith('RUN ') && !cached;
    if (isRun && !this.#linesOf(step).hasOutput) {
      this.#say(step, ` ---> Running in ${containerOf(step)}\n`);
    }
    if (isRun && this.#removesContainers) {
      this.#say(step, ` ---> Removed intermediate container ${containerOf(step)}\n`);
    }
    this.#say(step, ` ---> ${shownId(stateId)}\n`);
    this.#linesOf(step).hasEnded = true;
    this.#advance();
  }

  /** What is left of steps that others waited for, when the build has failed. */
  flush(): void {
    const numbers = [...this.#steps.keys()].sort((a, b) => a - b);
    for (const number of numbers.filter((one) => one >= this.#due)) this.#release(number);
  }

  /** The classic builder has no lint. */
  warn(warning: BuildWarning): void {
    void warning;
  }

  vertex(): void {
    // Told as steps.
  }

  status(): void {
    // The classic builder tells of pulls only.
  }

  log(): void {
    // Told as output of steps.
  }

  #linesOf({ number }: BuildStep): StepLines {
    const known = this.#steps.get(number) ?? { lines: [], hasEnded: false, hasOutput: false };
    this.#steps.set(number, known);
    return known;
  }

  #say(step: BuildStep, text: string): void {
    const { lines } = this.#linesOf(step);
    if (step.number <= this.#due) this.#send({ stream: text });
    else lines.push(text);
  }

  #advance(): void {
    while (this.#steps.get(this.#due)?.hasEnded === true) {
      this.#due++;
      this.#release(this.#due);
    }
  }

  #release(number: number): void {
    for (const text of this.#steps.get(number)?.lines.splice(0) ?? []) this.#send({ stream: text });
  }
}

/** Containers of builds have ids that mean nothing to clients: the step's own number stands in. */
function containerOf({ number, text }: BuildStep): string {
  return shortId(digestOf(`${number} ${text}`).slice('sha256:'.length));
}

function shownId(stateId: Digest | undefined): string {
  return stateId === undefined ? '' : shortId(stateId.slice('sha256:'.length));
}
