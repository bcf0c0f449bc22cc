import { RepositoryError } from '../repository.ts';
import { type Clone, findTooLarge, openClone, writeAuthority } from './clone.ts';
import { buildEnvironment, type Credentials, type RemoteUrl, secretsOf, withRemote } from './environment.ts';
import { createScrub, type Scrub } from './failure.ts';
import { type GitResult, runGit } from './process.ts';

export type GitLimits = {
  /** Of one commit. */
  readonly files: number;
  /** Of one text that is read. */
  readonly blobBytes: number;
  /** Of the whole copy. */
  readonly cloneBytes: number;
  /** Of each git: some objects unpack to a million times their size. */
  readonly memoryBytes: number;
  /** Of a git that talks to the remote. */
  readonly remoteTimeoutMs: number;
  readonly localTimeoutMs: number;
};

export const DEFAULT_GIT_LIMITS: GitLimits = {
  files: 200_000,
  blobBytes: 1024 * 1024,
  cloneBytes: 4 * 1024 ** 3,
  memoryBytes: 512 * 1024 ** 2,
  remoteTimeoutMs: 120_000,
  localTimeoutMs: 60_000,
};

export type GitDeps = {
  /** Folder in which the copy is made and removed again. */
  readonly folder: string;
  /** The search path by which git and its helpers are found. */
  readonly path: string;
  /** Asked before each call to the remote, so that a rotated Secret counts at once. Absent: the remote asks for none. */
  readonly credentials?: (() => Promise<Credentials | undefined>) | undefined;
  /** Certificates, in PEM, that the remote's own has to be signed by, or be; absent or undefined: those that the machine trusts. */
  readonly authority?: (() => Promise<string | undefined>) | undefined;
  /** Gives the addresses at which the host may be reached, and rejects when it must not be; git connects to no other. Absent: git resolves. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined;
};

export type LocalRun = { readonly input?: Iterable<string>; readonly signal?: AbortSignal | undefined };

/** The copy of one remote, and the ways to run git on it. */
export type Git = {
  readonly remote: RemoteUrl;
  readonly limits: GitLimits;
  /** The copy, made when there is none. */
  clone(): Promise<Clone>;
  /** Throws the copy away; the next call makes another. */
  discard(): Promise<void>;
  /** Without a way to the remote. */
  local(args: readonly string[], run?: LocalRun): Promise<GitResult>;
  /** The output of a `local` that must not fail; `what` begins the message when it does. */
  demand(what: string, args: readonly string[], run?: LocalRun): Promise<Buffer>;
  /** To be called after what adds a pack: joins small ones from time to time, so that a copy serves for months. Drops nothing. */
  tidy(): Promise<void>;
  /** With the remote: the address, the credentials, nothing else. */
  distant(
    args: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<{ readonly result: GitResult; readonly scrub: Scrub }>;
};

export function createGit(remote: RemoteUrl, limits: GitLimits, deps: GitDeps): Git {
  const environment = buildEnvironment({ home: deps.folder, path: deps.path });
  let opened: Promise<Clone> | undefined;
  let packs = 0;
  const clone = (): Promise<Clone> => {
    opened ??= openClone(deps.folder, environment, limits).catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
  const local = async (args: readonly string[], run: LocalRun = {}): Promise<GitResult> => {
    const { folder, env } = await clone();
    const { localTimeoutMs: timeoutMs, memoryBytes: maxMemoryBytes } = limits;
    const bounds = { timeoutMs, maxMemoryBytes, maxOutputBytes: MAX_OUTPUT_BYTES };
    return runGit({ args: ['-C', folder, ...args], env, ...bounds, ...run });
  };
  return {
    remote,
    limits,
    clone,
    local,
    discard: async () => {
      const old = opened;
      opened = undefined;
      await old?.then((copy) => copy.remove()).catch(() => {});
    },
    demand: async (what, args, run) => {
      const { code, stdout, stderr } = await local(args, run);
      if (code === 0) return stdout;
      const { folder } = await clone();
      throw new RepositoryError('Broken', `${what}: ${createScrub([], [folder])(stderr) || `git ended with ${code}`}`);
    },
    tidy: async () => {
      packs += 1;
      if (packs % PACKS_BETWEEN_TIDYING === 0) await local(['repack', '-d', '--quiet', '--geometric=2']);
    },
    distant: async (args, signal) => {
      const { folder, env } = await clone();
      const [credentials, authority, addresses] = await Promise.all([
        deps.credentials?.(),
        deps.authority?.(),
        remote.protocol === 'file' ? undefined : deps.resolve?.(remote.host),
      ]);
      const result = await runGit({
        args: ['-C', folder, ...args],
        env: withRemote(env, remote, {
          credentials,
          addresses,
          authorityFile: authority === undefined ? undefined : await writeAuthority(folder, authority),
        }),
        timeoutMs: limits.remoteTimeoutMs,
        maxOutputBytes: MAX_OUTPUT_BYTES,
        maxMemoryBytes: limits.memoryBytes,
        signal,
        watch: () => findTooLarge(folder, limits.cloneBytes),
      });
      return { result, scrub: createScrub(secretsOf(credentials), [folder]) };
    },
  };
}

const PACKS_BETWEEN_TIDYING = 50;
const MAX_OUTPUT_BYTES = 128 * 1024 * 1024;
const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

export function isCommitId(commit: string): boolean {
  return COMMIT.test(commit);
}

export function assertCommitId(commit: string): void {
  if (!COMMIT.test(commit))
    throw new RepositoryError('Refused', `${JSON.stringify(commit.slice(0, 80))} is no commit id`);
}
