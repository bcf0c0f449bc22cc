import type { Logger } from 'pino';
import type { Clock, Random } from '../../kube/clock.ts';
import type { Journal } from '../journal.ts';
import type { WritableRepository } from './target.ts';

export type WriterDeps = {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Opens a repository by the id that the journal has. Rejects while that is not possible; undefined when there is none of that id. */
  readonly open: (repository: string) => Promise<WritableRepository | undefined>;
};

export type WriterOptions = {
  /** Unique a process and start: a restarted process is another holder. */
  readonly holder: string;
  /** How long others leave a repository alone whose writer is silent. Default 15 s. */
  readonly leaseMs?: number | undefined;
  /** How often the journal is asked what waits, whatever it notified. Default 15 s. */
  readonly pollMs?: number | undefined;
  /** How often repositories with unfinished changes are fetched although nothing waits: merged, closed, rewritten. Default 60 s. */
  readonly reviewMs?: number | undefined;
  /** Repositories worked on at the same time. Default 8. */
  readonly concurrency?: number | undefined;
  /** Changes of one push. Default 10 000. */
  readonly most?: number | undefined;
  /** Repositories idle for so long are closed. Default 10 min. */
  readonly idleMs?: number | undefined;
  /** How long ended changes stay in the journal; Git has them for good. Default 400 days, and never less than the keys of their requests. */
  readonly keepMs?: number | undefined;
};

export type WriterSettings = { readonly [K in keyof WriterOptions]-?: NonNullable<WriterOptions[K]> };
