import { createHash } from 'node:crypto';
import type { ApiObject } from '../../simulator/apiserver/object.ts';
import type { ApiAnswer, ApiRequest } from '../../simulator/apiserver/request.ts';
import { parseResourcePath, splitQuery } from '../../simulator/apiserver/request.ts';
import type { StorageEvent, Store } from '../../simulator/apiserver/store.ts';
import type { Live, RequestSent, TrailEvent, Verb } from '../../simulator/invariants/trail.ts';
import type { LinkAnswer, LinkCall, LinkHooks, LinkLine } from '../../simulator/link.ts';

export type RecorderDeps = {
  readonly store: Store;
  readonly nowMs: () => number;
  /** Keeps a hash over everything. */
  readonly hashes: boolean;
};

/** What happened: for checkers, for people, and as a hash for comparing runs. */
export type Recorder = {
  /** To be put around each API server call of a process. */
  handle(process: string, request: ApiRequest, server: (request: ApiRequest) => Answer): Answer;
  /** What `act` changes, it changes in this name. */
  as<T>(process: string, act: () => T): T;
  /** Tells of what the network saw, then asks `inner`. */
  hooks(inner: () => LinkHooks): LinkHooks;
  onTask(process: string): void;
  emit(event: TrailEvent): void;
  onTrail(listener: (event: TrailEvent) => void): () => void;
  /** When an object that is no Lease or Event last changed. */
  lastChangeMs(): number;
  writes(): ReadonlyMap<string, number>;
  tail(): readonly string[];
  hash(): string;
};

type Answer = ApiAnswer | Promise<ApiAnswer>;

/** Kinds that are written all the time without meaning anything. */
const CHATTER: ReadonlySet<string> = new Set(['leases', 'events']);
const TAIL = 400;

export function createRecorder({ store, nowMs, hashes }: RecorderDeps): Recorder {
  const listeners = new Set<(event: TrailEvent) => void>();
  const writes = new Map<string, number>();
  const tail: (() => string)[] = [];
  const hash = hashes ? createHash('sha256') : undefined;
  const sent = new WeakMap<LinkCall, number>();
  let lastId = 0;
  let process = 'person';
  let lastChangeMs = nowMs();

  const emit = (event: TrailEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const note = (render: () => string): void => {
    if (tail.length >= 2 * TAIL) tail.splice(0, TAIL);
    const time = nowMs();
    tail.push(() => `${new Date(time).toISOString()} ${render()}`);
  };
  const log = (...parts: readonly (string | number | Buffer | undefined)[]): void => {
    if (hash === undefined) return;
    hash.update(`${nowMs()}`);
    for (const part of parts) hash.update(' ').update(part instanceof Buffer ? part : `${part ?? ''}`);
    hash.update('\n');
  };

  store.subscribe((event) => {
    if (!CHATTER.has(event.collection.plural)) {
      lastChangeMs = nowMs();
      const by = process;
      note(() => `${by}: ${renderChange(event)}`);
    }
    if (listeners.size > 0) emit(describeChange(event, actorOf(process), nowMs()));
  });

  const as = <T>(name: string, act: () => T): T => {
    const outer = process;
    process = name;
    try {
      return act();
    } finally {
      process = outer;
    }
  };

  return {
    as,
    handle: (name, request, server) => {
      const answer = as(name, () => server(request));
      const isDone = request.method !== 'GET' && !(answer instanceof Promise) && answer.status < 300;
      if (isDone && !request.path.includes('dryRun=')) writes.set(name, (writes.get(name) ?? 0) + 1);
      return answer;
    },
    hooks: (inner) => ({
      onCall: (call) => {
        log('call', call.process, call.tries, call.method, call.path, call.body);
        if (listeners.size > 0 && isJudged(call)) {
          const request = describeRequest(call, lastId + 1, nowMs());
          if (request !== undefined) {
            lastId += 1;
            sent.set(call, lastId);
            emit(request);
          }
        }
        return inner().onCall?.(call);
      },
      onCarriedOut: (call, answer) => {
        log('done', call.process, call.path, answer.code, answer.body);
        inner().onCarriedOut?.(call, answer);
      },
      onAnswer: (call, answer) => {
        log('answer', call.process, call.path, answer.code, answer.body);
        if (answer.code < 200 || answer.code > 299) note(() => `${call.process}: ${call.call} failed (${answer.code})`);
        const id = sent.get(call);
        if (id !== undefined) {
          const version = call.verb === 'list' ? {} : versionOf(answer);
          emit({ type: 'answer', id, atMs: nowMs(), code: answer.code, ...version });
        }
        inner().onAnswer?.(call, answer);
      },
      onStream: (stream) => {
        log('watch', stream.process, stream.path);
        return inner().onStream?.(stream);
      },
      onLine: (line: LinkLine) => {
        if (hash !== undefined) log('line', line.process, line.path, line.text);
        return inner().onLine?.(line);
      },
    }),
    onTask: (name) => log('task', name),
    emit,
    onTrail: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    lastChangeMs: () => lastChangeMs,
    writes: () => writes,
    tail: () => tail.slice(-TAIL).map((render) => render()),
    hash: () => {
      if (hash === undefined) throw new Error('the world was made without recordHistory');
      return hash.copy().digest('hex');
    },
  };
}

/** The trail's name for a process: those of the operator one by one, everybody else by role. */
function actorOf(process: string): string {
  const role = process.split('/')[0] ?? process;
  if (role === 'operator') return process;
  return role === 'controllers' ? 'apiserver' : role;
}

function resourceName(group: string, plural: string): string {
  return group === '' ? plural : `${plural}.${group}`;
}

function describeChange(
  { type, current, previous, collection }: StorageEvent,
  actor: string,
  atMs: number,
): TrailEvent {
  const { group, plural } = collection;
  return {
    type: 'change',
    atMs,
    actor,
    resource: resourceName(group, plural),
    key: current.key,
    before: previous?.object as Live | undefined,
    after: type === 'DELETED' ? undefined : (current.object as unknown as Live),
  };
}

function renderChange({ type, current, collection }: StorageEvent): string {
  const verb = type === 'ADDED' ? 'created' : type === 'DELETED' ? 'removed' : 'changed';
  const state = type === 'DELETED' ? undefined : describeState(current.object);
  const what = `${verb} ${resourceName(collection.group, collection.plural)} ${current.key}`;
  return state === undefined ? what : `${what}, now ${state}`;
}

/** What it says of itself. */
function describeState({ metadata, status }: ApiObject): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return 'being deleted';
  const conditions = member(status, 'conditions');
  const ready = Array.isArray(conditions) ? conditions.find((one) => text(one, 'type') === 'Ready') : undefined;
  const said = text(status, 'printableStatus') ?? text(status, 'phase');
  return said ?? (ready === undefined ? undefined : `Ready ${text(ready, 'status')}, ${text(ready, 'reason')}`);
}

/** Requests are part of the trail where somebody judges them: those of the operator. */
function isJudged({ process }: LinkCall): boolean {
  return process.startsWith('operator/');
}

/** Dry runs are no requests of the trail: they change nothing and bring nothing new. */
function describeRequest(call: LinkCall, id: number, atMs: number): RequestSent | undefined {
  const { path, query } = splitQuery(call.path);
  const resource = parseResourcePath(path);
  if (resource === undefined || query.dryRun !== undefined) return undefined;
  const { group, plural, namespace, name, subresource } = resource;
  const body = call.isWrite && call.body !== undefined ? parse(call.body) : undefined;
  const metadata = member(body, 'metadata');
  const named = name === '' ? text(metadata, 'name') : name;
  const within = namespace === '' ? text(metadata, 'namespace') : namespace;
  const key = named === undefined ? '' : within === undefined || within === '' ? named : `${within}/${named}`;
  return {
    type: 'request',
    id,
    atMs,
    actor: actorOf(call.process),
    verb: call.verb as Verb,
    resource: resourceName(group, plural),
    key: call.verb === 'list' ? '' : key,
    ...(subresource === '' ? {} : { subresource }),
    ...describeMeaning(body),
  };
}

/** What the request says of the version that it means. */
function describeMeaning(body: unknown): Pick<RequestSent, 'means' | 'tests'> {
  if (Array.isArray(body)) {
    const tests = body.filter((op) => text(op, 'op') === 'test');
    const value = (path: string) =>
      text(
        tests.find((op) => text(op, 'path') === path),
        'value',
      );
    const means = { uid: value('/metadata/uid'), resourceVersion: value('/metadata/resourceVersion') };
    return { means, tests: tests.map((op) => text(op, 'path') ?? '') };
  }
  const stated = text(body, 'kind') === 'DeleteOptions' ? member(body, 'preconditions') : member(body, 'metadata');
  const means = { uid: text(stated, 'uid'), resourceVersion: text(stated, 'resourceVersion') };
  return means.uid === undefined && means.resourceVersion === undefined ? {} : { means };
}

function versionOf({ body, code }: LinkAnswer): { readonly resourceVersion?: string | undefined } {
  if (body === undefined || code > 299) return {};
  // The first one is that of the object itself, or of the list.
  const found = /"resourceVersion":"(\d+)"/.exec(body.toString());
  return found?.[1] === undefined ? {} : { resourceVersion: found[1] };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}
