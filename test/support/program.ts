import { afterAll, beforeAll, describe } from 'vitest';
import { type LogLine, UnavailableError } from '../cluster/binaries.ts';
import { describeLack, type Lack } from './cluster.ts';

/** A program that a group of tests has for itself. */
export type TestProgram<Running> = {
  readonly what: Lack['what'];
  /** Makes it ready to start; throws UnavailableError where it cannot be had. */
  obtain(log: LogLine): Promise<unknown>;
  start(log: LogLine): Promise<Running>;
};

/**
 * A `describe` with a program of its own; wait for it at the top of the file. Where it cannot be had, its tests are skipped with the reason; when
 * `SUBLET_REQUIRE` lists it, that is a failure instead.
 */
export async function describeWithProgram<Running extends { stop(): Promise<void> }>(
  name: string,
  program: TestProgram<Running>,
  tests: (running: () => Running) => void,
): Promise<void> {
  const log = (message: string) => process.stderr.write(`${message}\n`);
  const lack = await program.obtain(log).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof UnavailableError) return error.message;
      throw error;
    },
  );
  const unreachable = (): never => {
    throw new Error(`${program.what} is there only while a test or a hook of this group runs`);
  };
  if (lack !== undefined) {
    describeLack(name, { what: program.what, reason: lack }, () => tests(unreachable));
    return;
  }
  describe(name, () => {
    let running: Running | undefined;
    beforeAll(async () => {
      running = await program.start(log);
    });
    afterAll(() => running?.stop());
    tests(() => running ?? unreachable());
  });
}
