import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify';
import type { Logger } from 'pino';
import type { Plan } from '../../crds/v1alpha1/plan.ts';
import type { Quota } from '../../crds/v1alpha1/quota.ts';
import type { RDPInstance } from '../../crds/v1alpha1/rdpinstance.ts';
import type { Member, Tenant } from '../../crds/v1alpha1/tenant.ts';
import type { Journal } from '../../gitops/journal.ts';
import { createMemoryJournal } from '../../gitops/writer/journal/memory.ts';
import type { Random } from '../../kube/clock.ts';
import { StatusError } from '../../kube/errors.ts';
import { createMetrics, type Metrics } from '../../kube/metrics.ts';
import { type KubeObject, objectKey, renderKey } from '../../kube/object.ts';
import { Store as ObjectStore } from '../../kube/store.ts';
import { createFakeClock, createFakeRandom, type FakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { API_VERSION } from '../../model/group.ts';
import { computeTenantId } from '../../model/identity.ts';
import { ANNOTATION_PARENT_ID, ANNOTATION_PATH, ANNOTATION_TENANT_ID } from '../../model/labels.ts';
import { ROOT_TENANT_ID, splitPath, tenantNamespace } from '../../model/names.ts';
import { openStore, type Store } from '../../store/store.ts';
import { buildApp } from '../app.ts';
import { createAuthenticate } from '../authenticate/authenticate.ts';
import { createTokenVerifier } from '../authenticate/oidc.ts';
import { BY_NAMESPACE, type Caches, type RoleBinding, TENANT_INDEXERS } from '../caches.ts';
import type { CommitLog } from '../commits.ts';
import { ApiConfig } from '../config.ts';
import { createCursors } from '../cursor.ts';
import { createRateLimiter } from '../ratelimit.ts';
import { createInvitationRecords } from '../records/invitations.ts';
import { createKeyRecords } from '../records/keys.ts';
import { createLinkRecords } from '../records/links.ts';
import type { Telemetry, TelemetryDeps } from '../telemetry.ts';
import { createTree } from '../tree.ts';
import { createEndpoints } from '../webhooks/endpoints.ts';
import { createOutbox } from '../webhooks/outbox.ts';
import { checkDescribed } from './described.ts';
import { CLIENT_ID, createTestIssuer, ISSUER_URL, type TestIssuer } from './issuer.ts';

/** The API over caches that are filled by hand, a journal in memory and a database in this process. The issuer and its tokens are real. */
export type TestApi = {
  readonly app: FastifyInstance;
  readonly clock: FakeClock;
  readonly journal: Journal;
  readonly issuer: TestIssuer;
  readonly db: Store['db'];
  readonly caches: Caches;
  readonly lines: ReturnType<typeof createTestLog>['lines'];
  readonly log: Logger;
  readonly random: Random;
  readonly metrics: Metrics;
  /** Secrets that the cluster has, by key; each read is written down. */
  readonly secrets: Map<string, Readonly<Record<string, string>>>;
  readonly secretReads: string[];
  readonly events: KubeObject[];
  /** What the cluster lists besides Events, with `managedFields`. */
  readonly listed: KubeObject[];
  put(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** A Tenant with its namespace, as the operator leaves them. */
  sell(path: string, spec: Partial<Tenant['spec']>): Tenant & KubeObject;
  /** Calls as the user of that name (`oidc:` before it) with these groups. */
  as(user: string, request: InjectOptions, groups?: readonly string[]): Promise<LightMyRequestResponse>;
  /** Every answer is held to the description. */
  call(request: InjectOptions): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
};

const NO_DATABASE = new Proxy(
  {},
  {
    get: (_, name) => {
      throw new Error(`this test has no database, and something asks it to ${String(name)}`);
    },
  },
);

/** PGlite starts slowly where many tests run. */
export const DATABASE_TIMEOUT_MS = 180_000;

const CREATED_AT = '2025-12-31T00:00:00Z';

/** With `database` keys, links and invitations are rows of a PGlite, which takes seconds to start; without it, they fail. */
export async function createTestApi({
  database = false,
  commits,
  telemetry,
}: {
  readonly database?: boolean;
  readonly commits?: CommitLog;
  readonly telemetry?: (deps: Pick<TelemetryDeps, 'clock' | 'log' | 'journal'>) => Telemetry;
} = {}): Promise<TestApi> {
  const clock = createFakeClock();
  const random = createFakeRandom();
  const { log, lines } = createTestLog();
  const metrics = createMetrics();
  const issuer = await createTestIssuer(() => clock.now());
  const config = ApiConfig.parse({
    publicUrl: 'https://api.example.com',
    issuers: [
      {
        issuerUrl: ISSUER_URL,
        clientId: CLIENT_ID,
        usernamePrefix: 'oidc:',
        groupsClaim: 'groups',
        groupsPrefix: 'oidc:',
        signingAlgorithms: ['ES256'],
      },
    ],
  });
  const store = database ? await openStore({ clock, random, log }, { type: 'Embedded' }) : undefined;
  const db = (store?.db ?? NO_DATABASE) as Store['db'];
  const journal = createMemoryJournal({ clock });
  const objects = createObjects();
  const secrets: TestApi['secrets'] = new Map();
  const secretReads: string[] = [];
  const events: KubeObject[] = [];
  const listed: KubeObject[] = [];
  const keys = createKeyRecords(db);
  const stopping = new AbortController();
  const app = buildApp({
    config,
    caches: objects.caches,
    tree: createTree(objects.caches, config),
    journal,
    keys,
    links: createLinkRecords(db),
    invitations: createInvitationRecords(db),
    endpoints: createEndpoints(db),
    outbox: createOutbox({ db, listen: (channel, listener) => store?.listen(channel, listener) ?? (() => {}) }),
    client: buildClient(secrets, secretReads, [events, listed]),
    commits,
    telemetry: telemetry?.({ clock, log, journal }),
    cursors: createCursors(new Uint8Array(32)),
    clock,
    random,
    log,
    metrics,
    authenticate: createAuthenticate({
      clock,
      log,
      keys,
      tokens: createTokenVerifier({ clock, fetch: issuer.fetch }, config.issuers),
    }),
    limiter: createRateLimiter(clock),
    stopping: stopping.signal,
    lack: () => undefined,
  });
  await app.ready();
  const tokens = new Map<string, Promise<string>>();
  const tokenOf = (user: string, groups: readonly string[]): Promise<string> => {
    const id = JSON.stringify([user, groups, Math.floor(clock.now() / 1_800_000)]);
    const token = tokens.get(id) ?? issuer.sign({ sub: user, groups: [...groups] });
    tokens.set(id, token);
    return token;
  };
  const call = async (request: InjectOptions): Promise<LightMyRequestResponse> => {
    const answer = await app.inject(request);
    checkDescribed(request, answer);
    return answer;
  };
  return {
    app,
    clock,
    journal,
    issuer,
    db,
    caches: objects.caches,
    lines,
    log,
    random,
    metrics,
    secrets,
    secretReads,
    events,
    listed,
    put: objects.put,
    remove: objects.remove,
    sell: (path, spec) => sell(objects.put, config.rootNamespace, path, spec, objects.caches),
    call,
    as: async (user, request, groups = []) => {
      const authorization = `Bearer ${await tokenOf(user, groups)}`;
      return call({ ...request, headers: { ...request.headers, authorization } });
    },
    close: async () => {
      stopping.abort();
      await app.close();
      await store?.close();
    },
  };
}

function createObjects() {
  const byNamespace = { [BY_NAMESPACE]: (object: KubeObject) => [object.metadata.namespace ?? ''] };
  let version = 0;
  const caches = {
    tenants: new ObjectStore<Tenant & KubeObject>({ ...byNamespace, ...TENANT_INDEXERS }),
    plans: new ObjectStore<Plan & KubeObject>(byNamespace),
    quotas: new ObjectStore<Quota & KubeObject>(byNamespace),
    desktops: new ObjectStore<RDPInstance & KubeObject>(byNamespace),
    namespaces: new ObjectStore<KubeObject>(byNamespace),
    rootBindings: new ObjectStore<RoleBinding>(byNamespace),
    membershipVersion: () => version,
  };
  const storeOf = ({ kind }: KubeObject): ObjectStore<KubeObject> => {
    const word = {
      Tenant: 'tenants',
      Plan: 'plans',
      Quota: 'quotas',
      RDPInstance: 'desktops',
      Namespace: 'namespaces',
      RoleBinding: 'rootBindings',
    }[kind];
    const found = Object.entries(caches).find(([name]) => name === word)?.[1];
    if (found === undefined) throw new Error(`no cache holds ${kind}`);
    return found as unknown as ObjectStore<KubeObject>;
  };
  return {
    caches: caches satisfies { readonly [name in keyof Caches]: unknown } as unknown as Caches,
    put: (object: KubeObject): void => {
      storeOf(object).set(object);
      version += 1;
    },
    remove: (object: KubeObject): void => {
      storeOf(object).delete(objectKey(object));
      version += 1;
    },
  };
}

function sell(
  put: (object: KubeObject) => void,
  rootNamespace: string,
  path: string,
  spec: Partial<Tenant['spec']>,
  caches: Caches,
): Tenant & KubeObject {
  const { parentPath, name } = splitPath(path);
  const residence = parentPath === undefined ? rootNamespace : tenantNamespace(parentPath);
  const parentId =
    parentPath === undefined
      ? ROOT_TENANT_ID
      : (caches.namespaces.get(residence)?.metadata.annotations?.[ANNOTATION_TENANT_ID] ?? '');
  const id = spec.id ?? `${name}-1`;
  const tenant: Tenant & KubeObject = {
    apiVersion: API_VERSION,
    kind: 'Tenant',
    metadata: { name, namespace: residence, uid: `uid-${path}`, generation: 1, creationTimestamp: CREATED_AT },
    spec: {
      plan: 'team',
      type: 'Customer',
      source: { type: 'Fleet' },
      deletion: { policy: 'Retain', graceDays: 7 },
      ...spec,
      id,
    },
    status: { namespace: tenantNamespace(path), path },
  };
  put(tenant);
  put({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: tenantNamespace(path),
      creationTimestamp: CREATED_AT,
      annotations: {
        [ANNOTATION_PATH]: path,
        [ANNOTATION_TENANT_ID]: computeTenantId(parentId, id),
        [ANNOTATION_PARENT_ID]: parentId,
      },
    },
  });
  return tenant;
}

/** A member by user name. */
export function user(name: string, role: Member['role']): Member {
  return { kind: 'User', name: `oidc:${name}`, role };
}

export function plan(namespace: string, name: string, spec: Partial<Plan['spec']>): Plan & KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'Plan',
    metadata: { name, namespace, uid: `uid-${namespace}-${name}`, generation: 1, creationTimestamp: CREATED_AT },
    spec: { title: name, offers: 'Desktop', currency: 'USD', ...spec },
  };
}

export function desktop(
  namespace: string,
  name: string,
  spec: Partial<RDPInstance['spec']> = {},
  status?: RDPInstance['status'],
): RDPInstance & KubeObject {
  return {
    apiVersion: API_VERSION,
    kind: 'RDPInstance',
    metadata: { name, namespace, uid: `uid-${namespace}-${name}`, generation: 1, creationTimestamp: CREATED_AT },
    spec: {
      plan: 'basic',
      image: 'ubuntu-24',
      username: 'anna',
      power: 'Running',
      access: { type: 'LoadBalancer' },
      deletion: { policy: 'Retain', graceDays: 7 },
      ...spec,
    },
    ...(status === undefined ? {} : { status }),
  };
}

export const ROOT_PLANS = [
  plan('sublet-root', 'basic', {
    desktop: { vcpu: 2, memory: '4Gi', storage: '50Gi', images: ['ubuntu-24', 'windows-11'] },
  }),
  plan('sublet-root', 'team', { offers: 'Tenant' }),
];

function buildClient(
  secrets: ReadonlyMap<string, Readonly<Record<string, string>>>,
  reads: string[],
  [events, listed]: readonly [readonly KubeObject[], readonly KubeObject[]],
): Parameters<typeof buildApp>[0]['client'] {
  return {
    get: async (_resource, key) => {
      reads.push(renderKey(key));
      const data = secrets.get(renderKey(key));
      if (data === undefined) throw new StatusError({ code: 404, reason: 'NotFound', message: 'not found' });
      const encoded = Object.entries(data).map(([name, value]) => [name, Buffer.from(value).toString('base64')]);
      return { apiVersion: 'v1', kind: 'Secret', metadata: key, data: Object.fromEntries(encoded) } as never;
    },
    list: async (resource, { namespace, limit, continue: from = '0' } = {}) => {
      const all = [...events, ...listed].filter(
        ({ kind, metadata }) => kind === resource.kind && metadata.namespace === namespace,
      );
      const start = Number(from);
      const end = start + (limit ?? all.length);
      return {
        apiVersion: resource.version,
        kind: `${resource.kind}List`,
        metadata: end < all.length ? { continue: String(end) } : {},
        items: all.slice(start, end) as never,
      };
    },
  };
}
