import type { Logger } from 'pino';
import type { GitReader } from '../../git/binary/reader.ts';
import { RepositoryError } from '../../git/repository.ts';
import type { Clock } from '../../kube/clock.ts';
import { renderError } from '../../kube/errors.ts';
import type { Tree } from '../tree.ts';
import type { DirectSpec } from './spec.ts';
import type { DirectTreeReader } from './tree.ts';

/** What the fleet source fetched itself. */
export type Fetched = {
  readonly commit: string;
  /** As Flux writes revisions. */
  readonly revision: string;
  readonly tree: Tree;
  /** Revision of the artifact that was there when the fetch began: whatever comes after it may be newer. */
  readonly artifactThen: string | undefined;
  readonly atMs: number;
};

/** What of a GitRepository asks for a fetch when it changes. */
export type Asked = {
  readonly requestedAt: string | undefined;
  readonly generation: number | undefined;
  /** Revision of the artifact. */
  readonly artifact: string | undefined;
};

export type DirectLane = {
  /**
   * Fetches when something asks for it, and gives what was fetched last. Waits for a fetch only a little, so that a remote that hangs holds nothing up; what
   * comes later wakes the next pass.
   */
  follow(
    spec: DirectSpec,
    asked: Asked,
  ): Promise<{
    readonly fetched: Fetched | undefined;
    /** When to look again; undefined: when something asks. */
    readonly retryAfterMs: number | undefined;
  }>;
  /** Whether a revision of Flux's is known to lie before what was fetched last. */
  isBefore(revision: string): Promise<boolean>;
  /** Ends what runs and removes the copy. */
  stop(): Promise<void>;
};

export type DirectLaneDeps = {
  readonly clock: Clock;
  readonly log: Logger;
  /** Only one is open at a time. */
  readonly open: (spec: DirectSpec) => Promise<GitReader>;
  readonly trees: DirectTreeReader;
  /** A fetch ended after nobody waited for it any more. */
  readonly wake: () => void;
  readonly countFetch: (result: 'fetched' | 'declined' | 'failed') => void;
  /** Keeps what was fetched in mind over a restart; done before it is published. */
  readonly remember: (fetched: Fetched) => Promise<void>;
};

const PATIENCE_MS = 2_000;
const RETRY_MS = 10_000;
const MAX_RETRY_MS = 300_000;

type Attempt = {
  readonly key: string;
  readonly asked: Asked;
  /** Never rejects. */
  readonly ended: Promise<void>;
  outcome: 'running' | 'done' | 'failed';
  /** Longer than a pass waits. */
  isSlow: boolean;
};

/** Fetches one branch, of whatever remote the last `follow` named. One fetch at a time. */
export function createDirectLane(deps: DirectLaneDeps): DirectLane {
  const { clock, log } = deps;
  const stopped = new AbortController();
  let remote: { readonly key: string; readonly reader: GitReader } | undefined;
  let attempt: Attempt | undefined;
  let known: { readonly key: string; readonly fetched: Fetched } | undefined;
  let failures = 0;
  let notBeforeMs = 0;

  const closeReader = async (): Promise<void> => {
    const old = remote;
    remote = undefined;
    await old?.reader.close();
  };

  const fetchOnce = async (key: string, spec: DirectSpec, asked: Asked): Promise<void> => {
    if (remote?.key !== key) {
      await closeReader();
      remote = { key, reader: await deps.open(spec) };
    }
    const { reader } = remote;
    const commit = await reader.fetch(stopped.signal);
    if (commit === undefined) throw new RepositoryError('NotFound', `the repository has no branch ${spec.branch}`);
    const before = known?.key === key && known.fetched.commit === commit ? known.fetched : undefined;
    const tree = before?.tree ?? (await deps.trees.read(reader, commit, spec.leftOut));
    if ('declined' in tree) {
      known = undefined;
      deps.countFetch('declined');
      log.info({ commit, why: tree.declined }, 'the revision is taken from source-controller');
      return;
    }
    const revision = `${spec.branch}@sha1:${commit}`;
    const fetched = { commit, revision, tree, artifactThen: asked.artifact, atMs: clock.monotonic() };
    await deps.remember(fetched);
    known = { key, fetched };
    deps.countFetch('fetched');
  };

  const fail = async (error: unknown): Promise<void> => {
    failures += 1;
    notBeforeMs = clock.monotonic() + Math.min(RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
    if (stopped.signal.aborted) return;
    deps.countFetch('failed');
    const level = failures === 1 ? 'warn' : 'debug';
    log[level]({ reason: renderError(error) }, 'the fleet cannot be fetched; what source-controller fetches is taken');
    // A copy that something is wrong with, or that has grown too large, is made anew.
    if (error instanceof RepositoryError && (error.failure === 'Broken' || error.failure === 'TooLarge'))
      await closeReader();
  };

  const begin = (key: string, spec: DirectSpec, asked: Asked): Attempt => {
    const run = async (): Promise<void> => {
      try {
        await fetchOnce(key, spec, asked);
        failures = 0;
        started.outcome = 'done';
      } catch (error) {
        await fail(error);
        started.outcome = 'failed';
      }
    };
    const started: Attempt = { key, asked, ended: Promise.resolve().then(run), outcome: 'running', isSlow: false };
    return started;
  };

  const isDue = (key: string, asked: Asked): boolean => {
    if (stopped.signal.aborted || attempt?.outcome === 'running') return false;
    if (attempt?.key !== key) return true;
    const isAsked = asked.requestedAt !== attempt.asked.requestedAt || asked.generation !== attempt.asked.generation;
    // Who asks is answered at once, unless that holds up what source-controller fetches.
    if (clock.monotonic() < notBeforeMs) return isAsked && !attempt.isSlow;
    const isNew = asked.artifact !== attempt.asked.artifact && asked.artifact !== known?.fetched.revision;
    return attempt.outcome === 'failed' || isNew || isAsked;
  };

  return {
    follow: async (spec, asked) => {
      const key = JSON.stringify(spec);
      if (isDue(key, asked)) attempt = begin(key, spec, asked);
      const latest = attempt;
      if (latest?.outcome === 'running' && !(await isEnded(clock, latest.ended))) {
        latest.isSlow = true;
        void latest.ended.then(deps.wake);
      }
      return {
        fetched: known?.key === key ? known.fetched : undefined,
        retryAfterMs: latest?.outcome === 'failed' ? Math.max(0, notBeforeMs - clock.monotonic()) : undefined,
      };
    },
    isBefore: async (revision) => {
      const commit = /@sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
      if (commit === undefined || known === undefined || remote === undefined) return false;
      return remote.reader.isKnownAncestor(commit, known.fetched.commit).catch(() => false);
    },
    stop: async () => {
      stopped.abort();
      await attempt?.ended;
      await closeReader();
    },
  };
}

/** Whether it ended within the time that a pass waits. */
async function isEnded(clock: Clock, ended: Promise<void>): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = clock.setTimeout(() => late.resolve(false), PATIENCE_MS);
  const isInTime = await Promise.race([ended.then(() => true), late.promise]);
  clock.clearTimeout(timer);
  return isInTime;
}
