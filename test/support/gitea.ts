import { obtainGitea } from '../cluster/binaries.ts';
import { type Gitea, startGitea } from '../cluster/gitea.ts';
import { describeWithProgram } from './program.ts';

/** A `describe` with a Gitea of its own, as `describeWithProgram` says. */
export function describeWithGitea(name: string, tests: (gitea: () => Gitea) => void): Promise<void> {
  return describeWithProgram(name, { what: 'gitea', obtain: obtainGitea, start: startGitea }, tests);
}
