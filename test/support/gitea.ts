import { afterAll, beforeAll, describe } from 'vitest';
import { obtainGitea, UnavailableError } from '../cluster/binaries.ts';
import { type Gitea, startGitea } from '../cluster/gitea.ts';
import { describeLack } from './cluster.ts';

/**
 * A `describe` with a Gitea of its own; wait for it at the top of the file. Where none can be had, its tests are skipped with the reason; when
 * `SUBLET_REQUIRE` lists `gitea`, that is a failure instead.
 */
export async function describeWithGitea(name: string, tests: (gitea: () => Gitea) => void): Promise<void> {
  const log = (message: string) => process.stderr.write(`${message}\n`);
  const lack = await obtainGitea(log).then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof UnavailableError) return error.message;
      throw error;
    },
  );
  if (lack !== undefined) {
    describeLack(name, { what: 'gitea', reason: lack }, () => tests(unreachable));
    return;
  }
  describe(name, () => {
    let gitea: Gitea | undefined;
    beforeAll(async () => {
      gitea = await startGitea(log);
    });
    afterAll(() => gitea?.stop());
    tests(() => gitea ?? unreachable());
  });
}

function unreachable(): never {
  throw new Error('Gitea is there only while a test or a hook of this group runs');
}
