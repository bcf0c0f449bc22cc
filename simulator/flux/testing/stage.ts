import { NAMESPACES, ROLEBINDINGS, SECRETS, SERVICEACCOUNTS } from '../../../kube/builtin.ts';
import type { Client } from '../../../kube/client.ts';
import { isNotFound } from '../../../kube/errors.ts';
import { apiVersionOf, type KubeObject, type Resource } from '../../../kube/object.ts';
import {
  ANNOTATION_REQUESTED_AT,
  EXTERNALARTIFACTS,
  GITREPOSITORIES,
  KUSTOMIZATIONS,
  ORIGIN_REVISION,
} from '../../../model/flux.ts';
import { renderArchive } from '../archive.ts';
import type { ArtifactHost } from '../artifacts.ts';
import { findMark } from '../conditions.ts';
import type { GitRepository, Kustomization } from '../resources.ts';
import { type Observation, observeNamespace } from './observe.ts';
import { createWork, type Files } from './work.ts';

/** What both sorts of Flux have in common: a cluster that one of them works on, and ways to feed it. */
export type World = {
  readonly client: Client;
  /** Serves archives of ExternalArtifacts. */
  readonly host: ArtifactHost;
  /** Makes an empty bare repository. */
  readonly gitRemote: (name: string) => Promise<{ readonly url: string }>;
  /** The same repositories over https, for those who know the credentials. */
  readonly secure: {
    readonly url: string;
    readonly ca: string;
    readonly username: string;
    readonly password: string;
  };
  /** For working copies. */
  readonly folder: string;
  /** Whether a user may patch ConfigMaps in a namespace; left out where nobody is judged. */
  readonly isAllowed?: (username: string, namespace: string) => Promise<boolean>;
};

type Json = Readonly<Record<string, unknown>>;

/** One scenario's namespace in one world. */
export type Stage = {
  readonly namespace: string;
  readonly client: Client;
  /** Commits and pushes to the stage's repository; the same steps give the same commits. */
  push(changes: Files): Promise<string>;
  /** A Secret `access` with these keys beside what checks the world's server, and the URL of the stage's repository that asks for them. */
  giveAccess(data: Readonly<Record<string, string>>): Promise<string>;
  /** The GitRepository `source` on the stage's repository, on branch `main`. */
  followGit(spec?: Json): Promise<void>;
  /** Fills the ExternalArtifact of that name; returns its revision. */
  publish(name: string, files: Readonly<Record<string, string>>, options?: PublishOptions): Promise<string>;
  /** A Kustomization on the ExternalArtifact of the same name, pruning, with the stage's namespace as target. */
  kustomize(name: string, spec?: Json): Promise<void>;
  create(resource: Resource, name: string, body: Json, options?: { readonly fieldManager?: string }): Promise<void>;
  patch(resource: Resource, name: string, body: Json, fieldManager?: string): Promise<void>;
  remove(resource: Resource, name: string): Promise<void>;
  /** Asks for a reconcile and waits until it was looked after. */
  request(resource: Resource, name: string): Promise<void>;
  /** Asks for reconciles until one had this effect: Flux works from caches, which may not hold yet what happened just before. */
  requestUntil<T extends KubeObject>(resource: Resource, name: string, check: (object: T) => boolean): Promise<void>;
  until<T extends KubeObject>(resource: Resource, name: string, check: (object: T) => boolean): Promise<void>;
  untilThere(resource: Resource, name: string): Promise<void>;
  untilGone(resource: Resource, name: string): Promise<void>;
  /** Waits until the Kustomization says so of its present spec, and is at rest. */
  untilReady(name: string, expected: Expected): Promise<void>;
  /** Waits until the GitRepository does. */
  untilFetched(expected: Expected): Promise<void>;
  /** Waits until the API server, which learns of bindings by a watch, lets an account of this namespace do something in that one. */
  untilAllowed(account: string, namespace: string): Promise<void>;
  /** Keeps what the namespace looks like now. */
  show(label: string): Promise<void>;
  readonly shown: readonly Observation[];
};

export type PublishOptions = {
  readonly revision?: string;
  readonly origin?: string;
  /** Another digest than that of the archive. */
  readonly digest?: string;
  /** The archive is not served. */
  readonly gone?: boolean;
};

export type Expected = {
  readonly ready: 'True' | 'False';
  readonly reason?: string;
  /** What its words begin with, where the reason alone is also that of what Flux says before it hears of everything: it hears of each kind by a watch of its own. */
  readonly says?: string;
  readonly revision?: string;
};

const POLL_MS = 250;
const PATIENCE_MS = 300_000;

/** Makes the namespace, in which the account `default`, without which Flux leaves behind what it applied, may do everything. */
export async function openStage(world: World, name: string): Promise<Stage> {
  const { client } = world;
  const namespace = stageNamespace(name);
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const stage = createStage(world, name, namespace);
  await allow(stage, 'default');
  // It comes a while after its namespace.
  await stage.untilThere(SERVICEACCOUNTS, 'default');
  return stage;
}

/** Lets an account do everything in its namespace. */
export async function allow(stage: Stage, account: string): Promise<void> {
  await stage.create(ROLEBINDINGS, `${account}-may`, {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: account, namespace: stage.namespace }],
  });
  await stage.untilAllowed(account, stage.namespace);
}

export function stageNamespace(name: string): string {
  return `flux-${name}`;
}

function createStage(world: World, name: string, namespace: string): Stage {
  const { client } = world;
  const shown: Observation[] = [];
  const git = createWork(world, name);
  let requests = 0;
  const at = (one: string) => ({ namespace, name: one });

  const stage: Stage = {
    namespace,
    client,
    shown,
    push: (changes) => git.push(changes),
    giveAccess: async (data) => {
      const { secure } = world;
      await stage.create(SECRETS, 'access', { stringData: { 'ca.crt': secure.ca, ...data } });
      return `${secure.url}${new URL(await git.url()).pathname}`;
    },
    followGit: async (spec = {}) => {
      const url = await git.url();
      await stage.create(GITREPOSITORIES, 'source', {
        spec: { url, interval: '10m', ref: { branch: 'main' }, ...spec },
      });
    },
    publish: (artifact, files, options = {}) => publish(world, stage, artifact, files, options),
    kustomize: (one, spec = {}) => {
      const sourceRef = { kind: 'ExternalArtifact', name: one };
      const common = { interval: '10m', path: './', prune: true, targetNamespace: namespace, sourceRef };
      return stage.create(KUSTOMIZATIONS, one, { spec: { ...common, ...spec } });
    },
    create: async (resource, one, body, options = {}) => {
      const metadata = { ...(body.metadata as Json | undefined), ...(resource.namespaced ? at(one) : { name: one }) };
      const { kind } = resource;
      await client.create(resource, { ...body, apiVersion: apiVersionOf(resource), kind, metadata }, options);
    },
    patch: async (resource, one, body, fieldManager) => {
      await client.patch(resource, at(one), { type: 'merge', body }, { fieldManager });
    },
    remove: (resource, one) => client.delete(resource, resource.namespaced ? at(one) : { name: one }),
    request: async (resource, one) => {
      requests += 1;
      const value = `request-${requests}`;
      await stage.patch(resource, one, { metadata: { annotations: { [ANNOTATION_REQUESTED_AT]: value } } });
      await stage.until<Kustomization>(resource, one, ({ status }) => status?.lastHandledReconcileAt === value);
    },
    requestUntil: (resource, one, check) =>
      poll(`${resource.kind} ${namespace}/${one}`, async () => {
        await stage.request(resource, one);
        const object = await client.get<Parameters<typeof check>[0]>(resource, at(one));
        return check(object) ? undefined : object;
      }),
    until: async (resource, one, check) => {
      await poll(`${resource.kind} ${namespace}/${one}`, async () => {
        const object = await client.get<Parameters<typeof check>[0]>(resource, at(one));
        return check(object) ? undefined : object;
      });
    },
    untilThere: (resource, one) =>
      poll(`${resource.kind} ${namespace}/${one}`, () =>
        client.get(resource, at(one)).then(
          () => undefined,
          (error: unknown) => {
            if (isNotFound(error)) return 'not there';
            throw error;
          },
        ),
      ),
    untilGone: (resource, one) =>
      poll(`the end of ${resource.kind} ${namespace}/${one}`, () =>
        client.get(resource, at(one)).catch((error: unknown) => {
          if (isNotFound(error)) return undefined;
          throw error;
        }),
      ),
    untilReady: (one, expected) =>
      stage.until<Kustomization>(KUSTOMIZATIONS, one, (object) => {
        const { revision = object.status?.lastAttemptedRevision } = expected;
        return isAtRest(object, expected) && object.status?.lastAttemptedRevision === revision;
      }),
    untilFetched: (expected) =>
      stage.until<GitRepository>(GITREPOSITORIES, 'source', (object) => {
        const { revision = object.status?.artifact?.revision } = expected;
        return isAtRest(object, expected) && object.status?.artifact?.revision === revision;
      }),
    untilAllowed: (account, where) =>
      poll(`rights of ${account} in ${where}`, async () => {
        const isAllowed = await world.isAllowed?.(`system:serviceaccount:${namespace}:${account}`, where);
        return isAllowed === false ? 'not allowed' : undefined;
      }),
    show: (label) =>
      poll(`rest in ${namespace}`, async () => {
        const observation = await observeNamespace(client, namespace, label);
        // A retry may be under way just now.
        if (JSON.stringify(observation).includes('"reason":"Progressing"')) return observation;
        shown.push(observation);
        return undefined;
      }),
  };
  return stage;
}

function isAtRest(
  { metadata, status }: Kustomization | GitRepository,
  { ready, reason, says = '' }: Expected,
): boolean {
  const found = findMark(status?.conditions, 'Ready');
  const busy = findMark(status?.conditions, 'Reconciling');
  const requestedAt = metadata.annotations?.[ANNOTATION_REQUESTED_AT];
  return (
    found?.status === ready &&
    (reason === undefined || found.reason === reason) &&
    found.message.startsWith(says) &&
    found.observedGeneration === metadata.generation &&
    (ready === 'False' || status?.observedGeneration === metadata.generation) &&
    (busy === undefined || busy.reason === 'ProgressingWithRetry') &&
    (requestedAt === undefined || status?.lastHandledReconcileAt === requestedAt)
  );
}

async function publish(
  { host, client }: World,
  { namespace }: Stage,
  name: string,
  files: Readonly<Record<string, string>>,
  { revision, origin, digest: stated, gone = false }: PublishOptions,
): Promise<string> {
  const entries = Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }));
  const { bytes, digest } = renderArchive(entries);
  const path = `${namespace}/${name}/${digest.slice(7)}.tar.gz`;
  if (!gone) host.put(path, bytes);
  const key = { namespace, name };
  const apiVersion = apiVersionOf(EXTERNALARTIFACTS);
  await client.apply(
    EXTERNALARTIFACTS,
    { apiVersion, kind: 'ExternalArtifact', metadata: key },
    { fieldManager: 'publisher' },
  );
  const artifact = {
    path,
    url: `${host.baseUrl}/${path}`,
    revision: revision ?? digest,
    digest: stated ?? digest,
    lastUpdateTime: '2026-01-01T00:00:00Z',
    size: bytes.length,
    ...(origin === undefined ? {} : { metadata: { [ORIGIN_REVISION]: origin } }),
  };
  const body = { status: { artifact } };
  await client.patch(EXTERNALARTIFACTS, key, { type: 'merge', body }, { subresource: 'status' });
  return artifact.revision;
}

/** Until `look` gives nothing; shows what it gave last when it never does. */
async function poll(what: string, look: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const left = await look();
    if (left === undefined) return;
    if (performance.now() > deadline)
      throw new Error(`${what} did not come to it: ${JSON.stringify(left, undefined, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
