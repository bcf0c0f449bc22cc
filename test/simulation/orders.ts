import type { MemoryRemote } from '../../git/memory/remote.ts';
import { applyEdits } from '../../gitops/change/apply.ts';
import { computeEdits } from '../../gitops/change/compute.ts';
import { equalJson, memberOf } from '../../gitops/change/json.ts';
import { DEFAULT_FILE_LIMITS, parseFile } from '../../gitops/document/parse.ts';
import type { Intent, JsonMap, Target } from '../../gitops/intent.ts';
import { type Change, FINAL_STATES, OPEN_STATES } from '../../gitops/journal.ts';
import { FLEET_REPOSITORY } from '../../gitops/layout.ts';
import { listChangeIds } from '../../gitops/message.ts';
import type { World } from './contract.ts';
import type { Engine } from './engine.ts';
import { BRANCH } from './repository.ts';

/** What people order through the Git write engine, and what became of it. */
export type Orders = {
  /** Hands in what the files shall say, each as one order; what no order can say is committed by hand. */
  order(what: string, changes: Readonly<Record<string, string | null>>): void;
  /** Orders that people will look at again, as they were told that something was in the way. */
  pending(): number;
  /** How many changes are in which state. */
  count(): Promise<Readonly<Record<string, number>>>;
  /** Changes that have not ended. */
  open(): Promise<readonly Change[]>;
  /** What is wrong once everything has come to rest. */
  findProblems(): Promise<readonly string[]>;
};

/** A file as far as an order can be about it: its one resource, nothing, or something that only hands can write. */
type Said = JsonMap | 'absent' | 'unsayable';

const GROUP = { name: 'people' };
const AGAIN_MS = 300_000;

/** `isAstray`: the branch is not what people mean, and somebody is at it; who has an order in the way waits for that. */
export function createOrders(world: World, engine: Engine, isAstray: () => boolean): Orders {
  const { repository } = world;
  const { journal } = engine;
  const random = world.random.fork('orders');
  const meant = new Map<string, string>();
  const accepted = new Map<string, string>();
  const running = new Map<string, string>();
  const looking = new Set<string>();

  const handIn = (path: string, intent: Intent): void => {
    const id = `I${Buffer.from(random.bytes(20)).toString('hex')}`;
    const author = { subject: `oidc:${intent.target.namespace}`, name: 'Anna', email: 'anna@example.com' };
    accepted.set(id, path);
    running.set(id, path);
    const change = { id, repository: FLEET_REPOSITORY, intent, mode: 'Commit', author, requestId: id } as const;
    void journal.accept(change);
  };

  const writeByHand = (path: string, text: string | undefined): void => {
    if (text === undefined) repository.remove(path);
    else repository.write(path, text);
  };

  /** Whoever finds that a file does not say what people mean orders it from there. */
  const mend = (path: string): void => {
    const [found, wanted] = [repository.read(path), meant.get(path)];
    if (saysSame(found, wanted)) return;
    const intent = computeIntent(path, readFile(found), readFile(wanted));
    if (intent !== undefined) {
      handIn(path, intent);
      return;
    }
    writeByHand(path, wanted);
    repository.push(`Write ${path} by hand`);
  };

  const lookAgain = (path: string): void => {
    if (looking.has(path)) return;
    looking.add(path);
    const attempt = (): void => {
      if (isAstray() || [...running.values()].includes(path)) {
        again();
        return;
      }
      looking.delete(path);
      mend(path);
    };
    const again = (): void => void world.scheduler.schedule(GROUP, AGAIN_MS, attempt);
    again();
  };

  journal.onChange(async () => {
    for (const [id, path] of running) {
      const change = await journal.find(id);
      if (change !== undefined && !isFinal(change)) continue;
      running.delete(id);
      if (change?.state === 'Ready' || (change?.state === 'Gone' && change.reason === 'Deleted')) continue;
      lookAgain(path);
    }
  });

  return {
    order: (what, changes) => {
      let byHand = false;
      for (const [path, text] of Object.entries(changes)) {
        const before = meant.get(path);
        if (text === null) meant.delete(path);
        else meant.set(path, text);
        if (saysSame(before, text ?? undefined)) continue;
        const intent = computeIntent(path, readFile(before), readFile(text ?? undefined));
        if (intent !== undefined) {
          handIn(path, intent);
          continue;
        }
        byHand = true;
        writeByHand(path, text ?? undefined);
      }
      if (byHand) repository.push(what);
    },
    pending: () => looking.size,
    count: async () => {
      const byState = Map.groupBy(await journal.list({ most: MOST }), ({ state }) => state);
      return Object.fromEntries([...byState].map(([state, changes]) => [state, changes.length]));
    },
    open: () => journal.list({ states: OPEN_STATES, most: MOST }),
    findProblems: async () => {
      const changes = await journal.list({ most: MOST });
      const known = new Set(changes.map(({ id }) => id));
      return [
        ...[...accepted].flatMap(([id, path]) => (known.has(id) ? [] : [`the change ${id} of ${path} is lost`])),
        ...findLies(engine, changes),
        ...findDifferences(world, meant),
      ];
    },
  };
}

const MOST = 10_000;

function isFinal({ state }: Change): boolean {
  return FINAL_STATES.some((one) => one === state);
}

/** Reads a file as the engine would. */
function readFile(text: string | undefined): Said {
  if (text === undefined) return 'absent';
  const file = parseFile(text, DEFAULT_FILE_LIMITS);
  const only = file.type === 'parsed' && file.values.length === 1 ? file.resources[0] : undefined;
  return only?.value ?? 'unsayable';
}

/** Whether two files declare the same, however they say it. */
export function saysSame(a: string | undefined, b: string | undefined): boolean {
  if (a === b) return true;
  const [one, other] = [readFile(a), readFile(b)];
  return one !== 'unsayable' && other !== 'unsayable' && equalJson(one, other);
}

function nameOf(object: JsonMap): string {
  const metadata = memberOf(object, 'metadata');
  return String(typeof metadata === 'object' && metadata !== null ? Reflect.get(metadata, 'name') : undefined);
}

/** The order that makes `wanted` of `found`; undefined when no order can. */
function computeIntent(path: string, found: Said, wanted: Said): Intent | undefined {
  if (found === 'unsayable' || wanted === 'unsayable') return undefined;
  const object = wanted === 'absent' ? found : wanted;
  if (object === 'absent') return undefined;
  const kind = String(memberOf(object, 'kind'));
  const target = { kind, namespace: path.split('/')[2] ?? '', name: nameOf(object) };
  if (found === 'absent') return { type: 'Create', target, object };
  if (wanted === 'absent') return { type: 'Delete', target, seen: memberOf(found, 'spec') };
  return { type: 'Edit', target, edits: computeEdits(found, wanted, kind) };
}

/** Where the journal does not say of a change what the branch says of it. */
export function findLies({ remote }: Pick<Engine, 'remote'>, changes: readonly Change[]): readonly string[] {
  const head = remote.head(BRANCH);
  const commits = new Map<string, number>();
  for (const { message } of head === undefined ? [] : remote.objects.walk(head))
    for (const id of listChangeIds(message)) commits.set(id, (commits.get(id) ?? 0) + 1);
  return changes.flatMap((change) => {
    const { id, state, reason, message, commit, intent } = change;
    const { kind, namespace, name } = intent.target;
    const title = `the change ${id} (${intent.type} ${kind} ${namespace}/${name})`;
    const count = commits.get(id) ?? 0;
    const isMade = commit !== undefined && listChangeIds(remote.objects.commit(commit)?.message ?? '').includes(id);
    const isNeverMade = state === 'Conflict' || state === 'Rejected';
    return [
      ...(count > 1 ? [`${title} was committed ${count} times`] : []),
      ...(isNeverMade && count > 0 ? [`${title} is ${state} and on the branch`] : []),
      ...(!isFinal(change) && state !== 'Held' ? [`${title} is still ${state}: ${reason ?? ''} ${message ?? ''}`] : []),
      ...(!isNeverMade && commit === undefined ? [`${title} is ${state}, and in no commit`] : []),
      ...(commit !== undefined && !isMade && count > 0 ? [`${title} names ${commit}, which is not its own`] : []),
      ...(reason === 'Overwritten' && !isOverwritten(remote, head, change)
        ? [`${title} is ${state}: ${message ?? ''}; nobody set them before it ended`]
        : []),
    ];
  });
}

/** Whether somebody decided otherwise after a change's commit and before its end. What the branch lost since is not judged. */
function isOverwritten({ objects }: MemoryRemote, head: string | undefined, change: Change): boolean {
  if (head === undefined) return true;
  for (const { id, atMs } of objects.walk(head)) {
    if (id === change.commit) return false;
    if (atMs <= change.updatedAtMs && !isSaid(change.intent, readResource({ objects }, id, change.intent.target)))
      return true;
  }
  return true;
}

/** What a commit declares of a resource. */
function readResource(
  { objects }: Pick<MemoryRemote, 'objects'>,
  commit: string,
  { kind, namespace, name }: Target,
): JsonMap | undefined {
  for (const [path, { blob }] of objects.tree(commit)) {
    if (path.split('/')[2] !== namespace) continue;
    const value = readFile(Buffer.from(objects.blob(blob) ?? []).toString());
    if (value === 'absent' || value === 'unsayable' || memberOf(value, 'kind') !== kind) continue;
    if (nameOf(value) === name) return value;
  }
  return undefined;
}

function isSaid(intent: Intent, found: JsonMap | undefined): boolean {
  if (intent.type === 'Delete' || found === undefined) return intent.type === 'Delete' && found === undefined;
  if (intent.type === 'Create') return equalJson(memberOf(found, 'spec'), memberOf(intent.object, 'spec'));
  return (
    applyEdits(
      found,
      intent.edits.map((edit) => ({ ...edit, from: edit.to })),
    ).type === 'applied'
  );
}

/** What the branch says otherwise than people mean. */
function findDifferences({ repository }: World, meant: ReadonlyMap<string, string>): readonly string[] {
  const paths = new Set([...meant.keys(), ...repository.paths('tenants/')]);
  return [...paths].flatMap((path) =>
    saysSame(repository.read(path), meant.get(path))
      ? []
      : [`${path} says ${repository.read(path) ?? 'nothing'} and should say ${meant.get(path) ?? 'nothing'}`],
  );
}
