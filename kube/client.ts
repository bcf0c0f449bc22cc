import type { KubeObject, List, ObjectKey, Resource } from './object.ts';
import {
  ACCEPT,
  ACCEPT_LIST_METADATA,
  ACCEPT_OBJECT_METADATA,
  APPLY_TYPE,
  collectionPath,
  describe,
  JSON_PATCH_TYPE,
  JSON_TYPE,
  MERGE_PATCH_TYPE,
  objectPath,
  parseList,
  parseObject,
  renderQuery,
  writeQuery,
} from './requests.ts';
import { parseBody } from './status.ts';
import { createTransport, type HttpCall, type Transport, type TransportDeps } from './transport.ts';
import { openWatch } from './watch.ts';

/**
 * Typed access to any kind of an API server. What comes back is the JSON that the server sent: nothing is dropped or renamed.
 *
 * Calls throw `StatusError` when the server refuses, `RequestError` when no answer arrives, and the signal's reason when the
 * caller aborts. `429` and `503` with `Retry-After` are waited out and tried again within the call's deadline.
 */
export type Client = {
  get<T extends KubeObject>(resource: Resource, key: ObjectKey, options?: CallOptions): Promise<T>;
  /** One page, or everything when no `limit` is given. Items carry `apiVersion` and `kind`, which servers leave out. */
  list<T extends KubeObject>(resource: Resource, options?: ListOptions): Promise<List<T>>;
  /** One watch, without reconnecting; ends when the server ends it. Reflectors build on this. */
  watch(resource: Resource, options: WatchOptions): AsyncIterable<WatchLine>;
  create<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces; the `resourceVersion` in the object is the precondition. */
  update<T extends KubeObject>(resource: Resource, object: T, options?: WriteOptions): Promise<T>;
  /** Server-side apply. */
  apply<T extends KubeObject>(resource: Resource, object: KubeObject, options: ApplyOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource, key: ObjectKey, patch: Patch, options?: WriteOptions): Promise<T>;
  delete(resource: Resource, key: ObjectKey, options?: DeleteOptions): Promise<void>;
  /** Ends watches, lets running calls finish, closes connections. */
  close(): Promise<void>;
};

export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Whole call, tries and waits included. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  /** Asks for `PartialObjectMetadata`: metadata without spec, status or data. */
  readonly metadataOnly?: boolean | undefined;
  /** Acts as this user (`system:serviceaccount:<namespace>:<name>`), which needs the right to. */
  readonly impersonate?: string | undefined;
};

export type ListOptions = CallOptions & {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly resourceVersion?: string | undefined;
};

export type WatchOptions = {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly allowBookmarks?: boolean | undefined;
  /** Begin with the present state as ADDED lines and mark its end with a bookmark (Kubernetes 1.32 and newer). */
  readonly sendInitialEvents?: boolean | undefined;
  /** When the server is to end the watch. */
  readonly timeoutSeconds?: number | undefined;
  readonly metadataOnly?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** `object` of an ERROR line is a `Status`; of a BOOKMARK line it holds only `metadata.resourceVersion`. */
export type WatchLine = {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeObject;
};

export type WriteOptions = CallOptions & {
  readonly fieldManager?: string | undefined;
  readonly subresource?: string | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore' | undefined;
};

export type ApplyOptions = WriteOptions & {
  readonly fieldManager: string;
  /** Take over fields that another manager holds. */
  readonly force?: boolean | undefined;
};

export type Patch =
  | { readonly type: 'json'; readonly ops: readonly JsonPatchOp[] }
  | { readonly type: 'merge'; readonly body: unknown };

export type JsonPatchOp = {
  readonly op: 'add' | 'remove' | 'replace' | 'test';
  readonly path: string;
  readonly value?: unknown;
};

export type DeleteOptions = CallOptions & {
  readonly preconditions?:
    | { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined }
    | undefined;
  readonly propagationPolicy?: 'Foreground' | 'Background' | 'Orphan' | undefined;
  readonly gracePeriodSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
};

export type ClientDeps = TransportDeps;

export type ClientOptions = {
  /** Connections for calls; watches have their own. Default 32. */
  readonly connections?: number | undefined;
  /** Deadline of a call that names none. Default 30 000. */
  readonly timeoutMs?: number | undefined;
  readonly userAgent?: string | undefined;
};

/** The context that is current in `deps.kubeConfig` decides server and identity. Connects on the first call. */
export function createClient(deps: ClientDeps, options: ClientOptions = {}): Client {
  const { connections = 32, timeoutMs, userAgent = 'sublet-kube' } = options;
  return createClientOn(createTransport(deps, { connections, userAgent }), { timeoutMs });
}

/** The same over a transport of the caller's, which the client closes. */
export function createClientOn(transport: Transport, options: Pick<ClientOptions, 'timeoutMs'> = {}): Client {
  const { timeoutMs = 30_000 } = options;

  const send = (
    o: CallOptions,
    accept: string,
    call: Omit<HttpCall, 'timeoutMs' | 'signal' | 'accept'>,
  ): Promise<Buffer> =>
    transport.call({
      ...call,
      accept,
      signal: o.signal,
      timeoutMs: o.timeoutMs ?? timeoutMs,
      impersonate: o.impersonate,
    });

  /** A call whose answer is one object. */
  const one = async <T extends KubeObject>(o: CallOptions, request: ObjectRequest): Promise<T> => {
    const { method, verb, path, what, body, contentType, idempotent = false } = request;
    const call = `${verb} ${what}`;
    const accept = o.metadataOnly === true ? ACCEPT_OBJECT_METADATA : ACCEPT;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await send(o, accept, { method, verb, call, path, body: text, contentType, idempotent });
    return parseObject<T>(parseBody(call, answer), call);
  };

  return {
    get: async (resource, key, o = {}) =>
      one(o, {
        method: 'GET',
        verb: 'get',
        path: objectPath(resource, key),
        what: describe(resource, key),
        idempotent: true,
      }),

    list: async <T extends KubeObject>(resource: Resource, o: ListOptions = {}): Promise<List<T>> => {
      const query = renderQuery({ ...selection(o), limit: o.limit, continue: o.continue });
      const path = collectionPath(resource, o.namespace) + query;
      const call = `list ${describe(resource, { namespace: o.namespace, name: '' })}`;
      const accept = o.metadataOnly === true ? ACCEPT_LIST_METADATA : ACCEPT;
      const answer = await send(o, accept, { method: 'GET', verb: 'list', call, path, idempotent: true });
      return parseList<T>(parseBody(call, answer), resource, call);
    },

    watch: (resource, o) => {
      const query = renderQuery({
        ...selection(o),
        watch: true,
        allowWatchBookmarks: o.allowBookmarks === true || o.sendInitialEvents === true ? true : undefined,
        sendInitialEvents: o.sendInitialEvents,
        resourceVersionMatch: o.sendInitialEvents === undefined ? undefined : 'NotOlderThan',
        timeoutSeconds: o.timeoutSeconds,
      });
      const call = `watch ${describe(resource, { namespace: o.namespace, name: '' })}`;
      const accept = o.metadataOnly === true ? ACCEPT_OBJECT_METADATA : ACCEPT;
      return openWatch(transport, { call, accept, path: collectionPath(resource, o.namespace) + query }, o.signal);
    },

    create: async (resource, object, o = {}) => {
      const { namespace } = object.metadata;
      const target =
        o.subresource === undefined
          ? collectionPath(resource, namespace)
          : objectPath(resource, object.metadata, o.subresource);
      const what = describe(resource, object.metadata);
      return one(o, {
        method: 'POST',
        verb: 'create',
        path: target + writeQuery(o),
        what,
        body: object,
        contentType: JSON_TYPE,
      });
    },

    update: async (resource, object, o = {}) => {
      const path = objectPath(resource, object.metadata, o.subresource) + writeQuery(o);
      const what = describe(resource, object.metadata);
      return one(o, { method: 'PUT', verb: 'update', path, what, body: object, contentType: JSON_TYPE });
    },

    apply: async (resource, object, o) => {
      const path = objectPath(resource, object.metadata, o.subresource) + writeQuery(o, o.force);
      const what = describe(resource, object.metadata);
      const request = { method: 'PATCH', verb: 'apply', path, what, body: object, contentType: APPLY_TYPE } as const;
      return one(o, { ...request, idempotent: true });
    },

    patch: async (resource, key, patch, o = {}) => {
      const path = objectPath(resource, key, o.subresource) + writeQuery(o);
      const contentType = patch.type === 'json' ? JSON_PATCH_TYPE : MERGE_PATCH_TYPE;
      const body = patch.type === 'json' ? patch.ops : patch.body;
      return one(o, { method: 'PATCH', verb: 'patch', path, what: describe(resource, key), body, contentType });
    },

    delete: async (resource, key, o = {}) => {
      const { preconditions, propagationPolicy, gracePeriodSeconds } = o;
      const path = objectPath(resource, key) + renderQuery({ dryRun: o.dryRun === true ? 'All' : undefined });
      const kind = { apiVersion: 'v1', kind: 'DeleteOptions' };
      const body = JSON.stringify({ ...kind, preconditions, propagationPolicy, gracePeriodSeconds });
      const call = `delete ${describe(resource, key)}`;
      await send(o, ACCEPT, {
        method: 'DELETE',
        verb: 'delete',
        call,
        path,
        body,
        contentType: JSON_TYPE,
        idempotent: false,
      });
    },

    close: () => transport.close(),
  };
}

type ObjectRequest = {
  readonly method: HttpCall['method'];
  readonly verb: string;
  readonly path: string;
  /** The object, for messages. */
  readonly what: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly idempotent?: boolean;
};

function selection(
  o: Pick<ListOptions, 'labelSelector' | 'fieldSelector' | 'resourceVersion'>,
): Record<string, string | undefined> {
  const { labelSelector, fieldSelector, resourceVersion } = o;
  return { labelSelector, fieldSelector, resourceVersion };
}
