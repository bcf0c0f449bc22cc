import { createHash } from 'node:crypto';
import { createMemoryRemote, type MemoryRemote } from '../../../git/memory/remote.ts';
import { openMemoryRepository } from '../../../git/memory/repository.ts';
import type { LogEntry, Repository } from '../../../git/repository.ts';
import type { Clock, Random } from '../../../kube/clock.ts';
import { sleep } from '../../../kube/clock.ts';
import { createFakeClock, createFakeRandom, type FakeClock } from '../../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../../kube/testing/testlog.ts';
import type { Intent, JsonMap } from '../../intent.ts';
import type { Change, Journal, NewChange } from '../../journal.ts';
import { listChangeIds } from '../../message.ts';
import { createMemoryJournal } from '../journal/memory.ts';
import type { WriterOptions } from '../options.ts';
import type { WritableRepository } from '../target.ts';
import { startWriter, type Writer } from '../writer.ts';

export const REPOSITORY = 'fleet';
export const BRANCH = 'main';
const PERSON = { name: 'Pat', email: 'pat@example.com' };

/** A remote, a journal and a clock, all in memory, and processes that write and can be killed at any call. */
export type WriterWorld = {
  readonly clock: FakeClock;
  readonly journal: Journal;
  readonly remote: MemoryRemote;
  /** Hands in a change; gives its id. */
  accept(intent: Intent, options?: Partial<Pick<NewChange, 'mode' | 'id'>>): Promise<string>;
  /** `target` as a function is asked each time that the writer opens the repository; what it throws is why that is not possible, and undefined is that there is none. */
  start(process: Process, options?: Partial<WriterOptions>, target?: TargetOverride): Writer;
  /** Lets time pass until no change is in `Accepted`, and a little longer. Throws with what waits when that does not come. */
  settle(): Promise<void>;
  state(id: string): Promise<Change>;
  /** Of the branch, oldest first. */
  history(): Promise<readonly LogEntry[]>;
  file(path: string): string | undefined;
  /** A person commits. */
  write(files: Readonly<Record<string, string | null>>, message?: string): string;
};

export type TargetOverride = Partial<WritableRepository> | (() => Partial<WritableRepository> | undefined);

/** Between two awaits of a process: every call of the journal and the repository, before and after it is carried out. */
export type Process = {
  readonly name: string;
  /** Resolves when the process may go on, never when it is dead. */
  readonly point: (what: string) => Promise<void>;
};

export function createWriterWorld(files: Readonly<Record<string, string>> = {}): WriterWorld {
  const clock = createFakeClock();
  const journal = createMemoryJournal({ clock });
  const remote = createMemoryRemote();
  const reader = openMemoryRepository(remote, { branch: BRANCH });
  let drawn = 0;
  const write: WriterWorld['write'] = (changed, message = 'A person was here') =>
    remote.write(BRANCH, {
      author: PERSON,
      committer: PERSON,
      atMs: clock.now(),
      message,
      files: new Map(Object.entries(changed)),
    });
  if (Object.keys(files).length > 0) write(files, 'Begin');
  const history = async () => {
    const head = remote.head(BRANCH);
    return head === undefined ? [] : (await reader.log(head, { most: 100_000 })).toReversed();
  };
  return {
    clock,
    journal,
    remote,
    write,
    history,
    accept: async (intent, options = {}) => {
      drawn += 1;
      const id = options.id ?? `I${createHash('sha1').update(String(drawn)).digest('hex')}`;
      const author = { subject: 'oidc:anna', name: 'Anna', email: 'anna@example.com' };
      await journal.accept({
        id,
        repository: REPOSITORY,
        intent,
        mode: options.mode ?? 'Commit',
        author,
        requestId: `req-${drawn}`,
      });
      return id;
    },
    start: (process, options = {}, target = {}) => {
      const deps = { clock, random: createFakeRandom(), log: createTestLog().log };
      return startWriter(
        { ...deps, journal: throughProcess(journal, process), open: async () => openTarget(remote, process, target) },
        { holder: process.name, leaseMs: 15_000, pollMs: 5_000, reviewMs: 20_000, ...options },
      );
    },
    settle: async () => {
      const deadlineMs = clock.monotonic() + SETTLE_MS;
      for (;;) {
        await clock.advance(STEP_MS);
        const waiting = await journal.pending(REPOSITORY, ['Accepted'], 10);
        if (waiting.length === 0) break;
        if (clock.monotonic() > deadlineMs)
          throw new Error(`these wait still: ${waiting.map(({ id, message }) => `${id} ${message ?? ''}`).join(', ')}`);
      }
      await clock.advance(STEP_MS);
    },
    state: async (id) => {
      const change = await journal.find(id);
      if (change === undefined) throw new Error(`there is no change ${id}`);
      return change;
    },
    file: (path) => remote.text(BRANCH, path),
  };
}

const SETTLE_MS = 30 * 60_000;
const STEP_MS = 1_000;

/** A process that nothing happens to. */
export function steady(name: string): Process {
  return { name, point: async () => {} };
}

/** Dies at its n-th point, counted from 1; without a number it counts them. */
export function mortal(
  name: string,
  diesAt = Number.POSITIVE_INFINITY,
): Process & { readonly points: readonly string[]; readonly isDead: () => boolean } {
  const points: string[] = [];
  return {
    name,
    points,
    isDead: () => points.length >= diesAt,
    point: async (what) => {
      points.push(what);
      if (points.length >= diesAt) await new Promise<never>(() => {});
    },
  };
}

/** Every call takes a while, some of them long. */
export function slow(
  name: string,
  clock: Clock,
  random: Random,
  options: { readonly usuallyMs: number; readonly rarelyMs: number },
): Process {
  return {
    name,
    point: async () => {
      const share = random.next();
      await sleep(clock, share > 0.97 ? options.rarelyMs * random.next() : options.usuallyMs * share);
    },
  };
}

/** The object with every method going through the process's points. */
export function throughProcess<T extends object>(inner: T, { point }: Process): T {
  return new Proxy(inner, {
    get: (object, name) => {
      const member: unknown = Reflect.get(object, name);
      if (typeof member !== 'function') return member;
      // Listening is no call that a process could die in.
      if (name === 'onChange') return member.bind(object);
      return async (...args: readonly unknown[]) => {
        await point(`before ${String(name)}`);
        const answer: unknown = await Reflect.apply(member, object, args);
        await point(`after ${String(name)}`);
        return answer;
      };
    },
  });
}

function openTarget(remote: MemoryRemote, process: Process, target: TargetOverride): WritableRepository | undefined {
  const over = typeof target === 'function' ? target() : target;
  if (over === undefined) return undefined;
  const repository: Repository = throughProcess(openMemoryRepository(remote, { branch: BRANCH }), process);
  return {
    repository,
    branch: BRANCH,
    folderOf: (namespace) => ({ folder: `tenants/production/${namespace}` }),
    committer: { name: 'Sublet', email: 'sublet@example.com' },
    pushWindowMs: 0,
    ...over,
  };
}

export const FOLDER = 'tenants/production/t-acme';

/** A Plan as a file. Its title and currency are what tests change. */
export function renderPlan(name: string, title: string, currency = 'USD'): string {
  return `apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata:\n  name: ${name}\nspec:\n  title: ${title}\n  offers: Desktop\n  currency: ${currency}\n`;
}

export function planObject(name: string, title: string): JsonMap {
  return {
    apiVersion: 'sublet.dev/v1alpha1',
    kind: 'Plan',
    metadata: { name },
    spec: { title, offers: 'Desktop', currency: 'USD' },
  };
}

export function target(name: string, namespace = 't-acme') {
  return { kind: 'Plan', namespace, name };
}

export function editTitle(name: string, from: string | undefined, to: string): Intent {
  return {
    type: 'Edit',
    target: target(name),
    edits: [{ path: ['spec', 'title'], ...(from === undefined ? {} : { from }), to }],
  };
}

/**
 * What has to hold at any time and whoever died: the branch has no change twice, and what the journal says of a change is what the branch says. Gives what
 * is wrong.
 */
export async function findLies(world: WriterWorld, ids: readonly string[]): Promise<readonly string[]> {
  const history = await world.history();
  const commits = new Map<string, string[]>();
  for (const { commit, message } of history) {
    for (const id of listChangeIds(message)) commits.set(id, [...(commits.get(id) ?? []), commit]);
  }
  const lies: string[] = [];
  for (const id of ids) {
    const { state, commit, reason } = await world.state(id);
    const found = commits.get(id) ?? [];
    if (found.length > 1) lies.push(`${id} was committed ${found.length} times`);
    const isOnBranch = found.length > 0;
    if (state === 'Committed' && reason !== 'Unchanged' && found[0] !== commit)
      lies.push(`${id} says ${commit} and is in ${found[0]}`);
    if ((state === 'Conflict' || state === 'Rejected' || state === 'Proposed') && isOnBranch)
      lies.push(`${id} is ${state} and in ${found[0]}`);
  }
  return lies;
}
