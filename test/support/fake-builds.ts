/** Builds in memory, for tests of the API: they remember what they were asked. */
import type { ClassicBuildRequest, ClassicBuilds } from '../../src/builder/classic-door.ts';
import type { ProgressMessage } from '../../src/wire/json-stream.ts';

export class FakeBuilds implements ClassicBuilds {
  /** What was asked for last, and how long the context was. */
  built: { readonly request: ClassicBuildRequest; readonly bytes: number } | undefined;

  async build(
    request: ClassicBuildRequest,
    body: AsyncIterable<Uint8Array>,
  ): Promise<AsyncIterable<ProgressMessage>> {
    let bytes = 0;
    for await (const chunk of body) bytes += chunk.length;
    this.built = { request, bytes };
    return lines();
  }
}

async function* lines(): AsyncGenerator<ProgressMessage> {
  yield { stream: 'Step 1/1 : FROM scratch' };
  yield { stream: 'Successfully built abc\n' };
}
