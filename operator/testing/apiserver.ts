import type {
  ApplyOptions,
  Client,
  DeleteOptions,
  JsonPatchOp,
  Patch,
  WatchLine,
  WriteOptions,
} from '../../kube/client.ts';
import type { Clock } from '../../kube/clock.ts';
import { hashValue } from '../../kube/compare.ts';
import { StatusError } from '../../kube/errors.ts';
import {
  apiVersionOf,
  type KubeObject,
  type ObjectKey,
  objectKey,
  qualifiedName,
  type Resource,
  renderKey,
} from '../../kube/object.ts';
import { buildMatcher } from '../../kube/selector.ts';
import { applyJsonPatch, isRecord, mergePatch } from './patch.ts';

/** A mutating call that reached the store, or was refused by it. */
export type Write = { readonly verb: string; readonly kind: string; readonly key: string };

/**
 * An API server in memory, as far as controllers depend on one: versions and conflicts, UIDs, generations, finalizers, preconditions,
 * namespaces that must exist and take their content with them, counted ResourceQuotas, watches. It does not validate, authorize or default.
 */
export type FakeApiServer = {
  readonly client: Client;
  /** Calls through `client` that could change something, in order. */
  readonly writes: Write[];
  /** Runs before each such call is carried out; what it throws is the answer, and it may change the store as somebody else. */
  intercept: ((write: Write) => Promise<void> | void) | undefined;
  /** Creates or replaces an object as somebody else would. */
  put(resource: Resource, object: KubeObject): KubeObject;
  /** Deletes as somebody else would: finalizers are waited for. */
  remove(resource: Resource, key: string): void;
  get<T extends KubeObject>(resource: Resource, key: string): T | undefined;
  list<T extends KubeObject>(resource: Resource): readonly T[];
};

type Loose = { [member: string]: unknown; apiVersion: string; kind: string; metadata: KubeObject['metadata'] };
type Watcher = { readonly resource: Resource; readonly push: (line: WatchLine) => void };

export function createFakeApiServer(clock: Clock): FakeApiServer {
  const kinds = new Map<string, { readonly resource: Resource; readonly objects: Map<string, Loose> }>();
  const watchers = new Set<Watcher>();
  let version = 0;
  const kindOf = (resource: Resource): Map<string, Loose> => {
    const name = qualifiedName(resource);
    const found = kinds.get(name) ?? { resource, objects: new Map<string, Loose>() };
    kinds.set(name, found);
    return found.objects;
  };
  const now = (): string => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');

  const store = (resource: Resource, object: Loose, type: 'ADDED' | 'MODIFIED'): Loose => {
    version += 1;
    const stored: Loose = {
      ...structuredClone(object),
      apiVersion: apiVersionOf(resource),
      kind: resource.kind,
      metadata: withoutEmpty({ ...structuredClone(object.metadata), resourceVersion: String(version) }),
    };
    kindOf(resource).set(objectKey(stored), stored);
    announce(resource, type, stored);
    return stored;
  };
  const announce = (resource: Resource, type: WatchLine['type'], object: Loose): void => {
    for (const watcher of watchers) {
      if (qualifiedName(watcher.resource) === qualifiedName(resource)) watcher.push({ type, object });
    }
  };
  /** A binding is judged by the Role that it names, which therefore has to be there. */
  const lacksRole = ({ roleRef, metadata }: Loose): boolean =>
    isRecord(roleRef) &&
    roleRef.kind === 'Role' &&
    kinds.get('roles.rbac.authorization.k8s.io')?.objects.has(`${metadata.namespace}/${roleRef.name}`) !== true;
  const insert = (resource: Resource, object: Loose): Loose => {
    const { namespace } = object.metadata;
    if (kindOf(resource).has(objectKey(object)))
      throw refuse(409, 'AlreadyExists', `${objectKey(object)} already exists`);
    if (resource.namespaced && kinds.get('namespaces')?.objects.has(namespace ?? '') !== true) {
      throw refuse(404, 'NotFound', `namespaces "${namespace}" not found`);
    }
    if (lacksRole(object)) throw refuse(404, 'NotFound', `roles "${objectKey(object)}" not found`);
    const metadata = { ...object.metadata, uid: `uid-${version + 1}`, generation: 1, creationTimestamp: now() };
    const counted =
      resource.kind === 'ResourceQuota' && isRecord(object.spec) ? { status: { used: object.spec.hard } } : {};
    return store(resource, { ...object, ...counted, metadata }, 'ADDED');
  };
  const replace = (resource: Resource, old: Loose, next: Loose): Loose => {
    const { uid, creationTimestamp, deletionTimestamp, generation = 1 } = old.metadata;
    const grown = hashValue(old.spec) === hashValue(next.spec) ? generation : generation + 1;
    const metadata = { ...next.metadata, uid, creationTimestamp, deletionTimestamp, generation: grown };
    const whole: Loose = { ...next, metadata: { ...metadata, resourceVersion: old.metadata.resourceVersion } };
    if (hashValue(whole) === hashValue(old)) return old;
    const stored = store(resource, whole, 'MODIFIED');
    if (deletionTimestamp !== undefined && (stored.metadata.finalizers ?? []).length === 0) erase(resource, stored);
    return stored;
  };
  const erase = (resource: Resource, object: Loose): void => {
    kindOf(resource).delete(objectKey(object));
    version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    announce(resource, 'DELETED', { ...object, metadata });
  };
  const drop = (resource: Resource, object: Loose): void => {
    if ((object.metadata.finalizers ?? []).length > 0) {
      if (object.metadata.deletionTimestamp !== undefined) return;
      store(resource, { ...object, metadata: { ...object.metadata, deletionTimestamp: now() } }, 'MODIFIED');
      return;
    }
    erase(resource, object);
    if (qualifiedName(resource) !== 'namespaces') return;
    for (const content of [...kinds.values()]) {
      const inside = [...content.objects.values()].filter(
        ({ metadata }) => metadata.namespace === object.metadata.name,
      );
      for (const one of inside) drop(content.resource, one);
    }
  };
  const find = (resource: Resource, key: ObjectKey): Loose => {
    const found = kindOf(resource).get(renderKey(key));
    if (found === undefined) throw refuse(404, 'NotFound', `${qualifiedName(resource)} "${renderKey(key)}" not found`);
    return found;
  };

  const server: FakeApiServer = {
    writes: [],
    intercept: undefined,
    put: (resource, object) => {
      const old = kindOf(resource).get(objectKey(object));
      return old === undefined ? insert(resource, { ...object }) : replace(resource, old, { ...object });
    },
    remove: (resource, key) => {
      const found = kindOf(resource).get(key);
      if (found !== undefined) drop(resource, found);
    },
    get: <T extends KubeObject>(resource: Resource, key: string) => kindOf(resource).get(key) as T | undefined,
    list: <T extends KubeObject>(resource: Resource) => [...kindOf(resource).values()] as unknown as readonly T[],
    client: {
      get: async (resource, key, { metadataOnly = false } = {}) => {
        await turn();
        return copy(find(resource, key), metadataOnly);
      },
      list: async (resource, options = {}) => {
        await turn();
        const matches = buildMatcher(options);
        const items = [...kindOf(resource).values()].filter((object) => matches(object) === true);
        return {
          apiVersion: apiVersionOf(resource),
          kind: `${resource.kind}List`,
          metadata: { resourceVersion: String(version) },
          items: items.map((object) => copy(object, options.metadataOnly === true)),
        };
      },
      watch: (resource, options) => openWatch(resource, options),
      create: async (resource, object, options) =>
        carryOut('create', resource, object.metadata, options, () => insert(resource, { ...object })),
      update: async (resource, object, options) =>
        carryOut('update', resource, object.metadata, options, () => {
          const old = find(resource, object.metadata);
          refuseOther(old, object.metadata);
          return replace(resource, old, { ...object });
        }),
      apply: async (resource, object, options) =>
        carryOut('apply', resource, object.metadata, options, () => {
          const old = kindOf(resource).get(objectKey(object));
          if (old === undefined) return insert(resource, { ...object });
          refuseOther(old, { uid: object.metadata.uid });
          return replace(resource, old, applyTo(old, { ...object }, options));
        }),
      patch: async (resource, key, patch, options) =>
        carryOut('patch', resource, key, options, () => {
          const old = find(resource, key);
          return replace(resource, old, patchObject(old, patch));
        }),
      delete: async (resource, key, options: DeleteOptions = {}) => {
        await carryOut('delete', resource, key, undefined, () => {
          const old = find(resource, key);
          refuseOther(old, options.preconditions ?? {});
          drop(resource, old);
          return old;
        });
      },
      close: async () => {},
    },
  };

  const carryOut = async <T extends KubeObject>(
    verb: string,
    resource: Resource,
    key: ObjectKey,
    options: WriteOptions | undefined,
    change: () => Loose,
  ): Promise<T> => {
    const what = options?.subresource === undefined ? verb : `${verb} ${options.subresource}`;
    const write = { verb: what, kind: resource.kind, key: renderKey(key) };
    server.writes.push(write);
    await turn();
    await server.intercept?.(write);
    return copy<T>(change(), options?.metadataOnly === true);
  };

  const openWatch = async function* (
    resource: Resource,
    options: Parameters<Client['watch']>[1],
  ): AsyncGenerator<WatchLine> {
    const matches = buildMatcher(options);
    const lines: WatchLine[] = [];
    let wake = Promise.withResolvers<void>();
    const push = (line: WatchLine): void => {
      if (matches(line.object) !== true) return;
      lines.push({ type: line.type, object: copy(line.object, options.metadataOnly === true) });
      wake.resolve();
    };
    const watcher = { resource, push };
    watchers.add(watcher);
    const end = (): void => wake.resolve();
    options.signal?.addEventListener('abort', end, { once: true });
    for (const object of kindOf(resource).values()) {
      if (Number(object.metadata.resourceVersion) > Number(options.resourceVersion ?? version))
        push({ type: 'MODIFIED', object });
    }
    try {
      while (options.signal?.aborted !== true) {
        yield* lines.splice(0);
        await wake.promise;
        wake = Promise.withResolvers<void>();
      }
      throw options.signal.reason;
    } finally {
      watchers.delete(watcher);
    }
  };
  return server;
}

/** Server-side apply by one manager: its intent replaces what it stated before; labels and annotations of others stay. */
function applyTo(old: Loose, intent: Loose, { subresource }: ApplyOptions): Loose {
  if (subresource === 'status') return { ...old, status: intent.status };
  const { status } = old;
  const metadata = {
    ...old.metadata,
    ...intent.metadata,
    labels: { ...old.metadata.labels, ...intent.metadata.labels },
    annotations: { ...old.metadata.annotations, ...intent.metadata.annotations },
  };
  return status === undefined ? { ...intent, metadata } : { ...intent, metadata, status };
}

function patchObject(old: Loose, patch: Patch): Loose {
  if (patch.type === 'merge') {
    const { body } = patch;
    if (isRecord(body) && isRecord(body.metadata)) refuseOther(old, body.metadata);
    return mergePatch(old, body) as Loose;
  }
  const patched = applyJsonPatch(old, patch.ops as readonly JsonPatchOp[]);
  if (patched === undefined)
    throw refuse(422, 'Invalid', 'the server rejected our request: a test of the patch failed');
  return patched as Loose;
}

/** The API server leaves empty lists of finalizers out. */
function withoutEmpty({ finalizers, ...metadata }: KubeObject['metadata']): KubeObject['metadata'] {
  return finalizers === undefined || finalizers.length === 0 ? metadata : { ...metadata, finalizers };
}

function refuseOther(
  old: Loose,
  { uid, resourceVersion }: { readonly uid?: unknown; readonly resourceVersion?: unknown },
): void {
  const other = uid !== undefined && uid !== old.metadata.uid;
  const changed = resourceVersion !== undefined && resourceVersion !== old.metadata.resourceVersion;
  if (other || changed) throw refuse(409, 'Conflict', `${objectKey(old)}: the object has been modified`);
}

function refuse(code: number, reason: string, message: string): StatusError {
  return new StatusError({ code, reason, message });
}

function copy<T extends KubeObject>(object: KubeObject, metadataOnly: boolean): T {
  const { apiVersion, kind, metadata } = object;
  return structuredClone(metadataOnly ? { apiVersion, kind, metadata } : object) as T;
}

/** Lets other calls in between, as a network would. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
