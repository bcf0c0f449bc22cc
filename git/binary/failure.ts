import { RepositoryError, type RepositoryFailure } from '../repository.ts';
import type { GitResult } from './process.ts';

/** What must not be in any text that leaves here: credentials, and the copy's folder. */
export type Scrub = (text: string) => string;

export function createScrub(secrets: readonly string[], folders: readonly string[]): Scrub {
  return (text) => {
    let clean = text;
    for (const secret of secrets) clean = clean.replaceAll(secret, '***');
    for (const folder of folders) clean = clean.replaceAll(folder, '');
    return clean
      .slice(0, MAX_LOOKED_AT)
      .replaceAll(/([a-z]+:\/\/)[^/\s@]*@/gi, '$1***@')
      .replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ')
      .trim()
      .slice(0, MAX_MESSAGE);
  };
}

const MAX_MESSAGE = 300;
const MAX_LOOKED_AT = 2000;

/** The error of a git that failed while it talked to the remote, by its English messages (`LC_ALL=C`). */
export function failureOf(what: string, result: Pick<GitResult, 'code' | 'stderr'>, scrub: Scrub): RepositoryError {
  const failure = FAILURES.find(({ pattern }) => pattern.test(result.stderr))?.failure ?? 'Broken';
  return new RepositoryError(failure, `${what}: ${scrub(lastWords(result.stderr)) || `git ended with ${result.code}`}`);
}

const FAILURES: readonly { readonly pattern: RegExp; readonly failure: RepositoryFailure }[] = [
  {
    pattern:
      /Authentication failed|could not read (Username|Password)|returned error: 40[13]|HTTP 40[13]|Permission denied|[Aa]ccess denied/,
    failure: 'Denied',
  },
  { pattern: /transport '.*' not allowed|returned error: 30[1278]/, failure: 'Refused' },
  {
    pattern:
      /returned error: 40[4]|HTTP 404|[Rr]epository .*not found|does not appear to be a git repository|not valid: is this a git repository/,
    failure: 'NotFound',
  },
  {
    pattern:
      /Could not resolve|[Ff]ailed to connect|Couldn't connect|Connection (refused|reset|timed out)|timed out|Operation too slow|returned error: (429|5\d\d)|HTTP (429|5\d\d)|early EOF|hung up|RPC failed|SSL|certificate|unable to access|unexpected disconnect|expected flush|bad line length|protocol error/,
    failure: 'Unreachable',
  },
];

/** The line that says most: the first of git's own errors, or what the remote said. */
function lastWords(stderr: string): string {
  const lines = stderr.split(/\r?\n|\r/).map((line) => line.trim());
  const found =
    lines.find((line) => /^(fatal|error): /.test(line)) ??
    lines.findLast((line) => line.startsWith('remote: ')) ??
    lines.findLast((line) => line !== '');
  return (found ?? '').replace(/^(fatal|error|remote): /, '');
}
