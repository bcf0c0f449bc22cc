import { KubeConfig } from '@kubernetes/client-node';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CONFIGMAPS, NAMESPACES } from '../../kube/builtin.ts';
import { type Client, createClient, createClientOn, type WatchLine } from '../../kube/client.ts';
import { realClock as clock, realRandom as random } from '../../kube/clock.ts';
import { StatusError } from '../../kube/errors.ts';
import type { KubeObject, Resource } from '../../kube/object.ts';
import { createInProcessTransport } from '../../simulator/apiserver/transport.ts';
import { ADMIN, type Embedded, startEmbedded } from './embedded.ts';
import { installFixtures } from './fixtures.ts';
import type { Json } from './json.ts';
import { normalise } from './normalise.ts';
import type { Entry, Scope } from './transcript.ts';

const WIDGETS: Resource = {
  group: 'contract.sublet.dev',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};
const USER_AGENT = 'transports/1';

type Act = readonly [what: string, act: (client: Client, namespace: string) => Promise<unknown>];

const widget = (
  namespace: string,
  name: string,
  spec: object,
  metadata: object = {},
): KubeObject & { spec: object } => ({
  apiVersion: 'contract.sublet.dev/v1',
  kind: 'Widget',
  metadata: { name, namespace, ...metadata },
  spec,
});
const configMap = (namespace: string, name: string): KubeObject & { data: object } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { a: '1' },
});

/** One after the other; each answer, or the refusal, is part of the comparison. */
const ACTS: readonly Act[] = [
  ['create', (client, ns) => client.create(WIDGETS, widget(ns, 'a', { size: 5 }))],
  ['create again', (client, ns) => client.create(WIDGETS, widget(ns, 'a', { size: 5 }))],
  ['create what is invalid', (client, ns) => client.create(WIDGETS, widget(ns, 'b', { size: 500 }))],
  ['create strictly', (client, ns) => client.create(WIDGETS, widget(ns, 'b', { x: 1 }), { fieldValidation: 'Strict' })],
  ['dry run', (client, ns) => client.create(WIDGETS, widget(ns, 'dry', {}), { dryRun: true })],
  ['get', (client, ns) => client.get(WIDGETS, { namespace: ns, name: 'a' })],
  ['get nothing', (client, ns) => client.get(WIDGETS, { namespace: ns, name: 'none' })],
  ['get metadata', (client, ns) => client.get(WIDGETS, { namespace: ns, name: 'a' }, { metadataOnly: true })],
  [
    'update',
    async (client, ns) => {
      const { metadata } = await client.get(WIDGETS, { namespace: ns, name: 'a' });
      const { resourceVersion } = metadata;
      return client.update(WIDGETS, widget(ns, 'a', { size: 6 }, { resourceVersion }));
    },
  ],
  ['update without a version', (client, ns) => client.update(WIDGETS, widget(ns, 'a', { size: 7 }))],
  ['update an old one', (client, ns) => client.update(WIDGETS, widget(ns, 'a', { size: 7 }, { resourceVersion: '1' }))],
  ['apply', (client, ns) => client.apply(WIDGETS, widget(ns, 'a', { title: 'applied' }), { fieldManager: 'one' })],
  [
    'apply against another',
    (client, ns) => client.apply(WIDGETS, widget(ns, 'a', { title: 'other' }), { fieldManager: 'two' }),
  ],
  [
    'apply with force',
    (client, ns) => client.apply(WIDGETS, widget(ns, 'a', { title: 'forced' }), { fieldManager: 'two', force: true }),
  ],
  [
    'apply a status',
    (client, ns) =>
      client.apply(WIDGETS, { ...widget(ns, 'a', {}), status: { phase: 'Ready' } } as KubeObject, {
        fieldManager: 'status',
        subresource: 'status',
      }),
  ],
  [
    'merge patch',
    (client, ns) =>
      client.patch(
        WIDGETS,
        { namespace: ns, name: 'a' },
        { type: 'merge', body: { metadata: { labels: { l: 'm' } } } },
      ),
  ],
  [
    'JSON patch',
    (client, ns) =>
      client.patch(
        WIDGETS,
        { namespace: ns, name: 'a' },
        { type: 'json', ops: [{ op: 'remove', path: '/spec/title' }] },
      ),
  ],
  [
    'JSON patch whose test fails',
    (client, ns) =>
      client.patch(
        WIDGETS,
        { namespace: ns, name: 'a' },
        { type: 'json', ops: [{ op: 'test', path: '/metadata/uid', value: 'x' }] },
      ),
  ],
  [
    'two more',
    async (client, ns) => [
      await client.create(CONFIGMAPS, configMap(ns, 'one')),
      await client.create(WIDGETS, widget(ns, 'c', {})),
    ],
  ],
  ['list', (client, ns) => client.list(WIDGETS, { namespace: ns })],
  ['list by label', (client, ns) => client.list(WIDGETS, { namespace: ns, labelSelector: 'l=m' })],
  ['list a page', (client, ns) => client.list(WIDGETS, { namespace: ns, limit: 1 })],
  ['list metadata', (client, ns) => client.list(WIDGETS, { namespace: ns, metadataOnly: true })],
  ['list by what is no selector', (client, ns) => client.list(WIDGETS, { namespace: ns, labelSelector: '=' })],
  ['watch', (client, ns) => collect(client.watch(WIDGETS, { namespace: ns, sendInitialEvents: true }), 3)],
  ['watch what is too old', (client, ns) => collect(client.watch(WIDGETS, { namespace: ns, resourceVersion: '1' }), 1)],
  ['watch for a second', (client, ns) => collect(client.watch(WIDGETS, { namespace: ns, timeoutSeconds: 1 }), 99)],
  [
    'delete with a wrong uid',
    (client, ns) => client.delete(WIDGETS, { namespace: ns, name: 'a' }, { preconditions: { uid: 'x' } }),
  ],
  ['delete', (client, ns) => client.delete(WIDGETS, { namespace: ns, name: 'a' })],
  ['delete again', (client, ns) => client.delete(WIDGETS, { namespace: ns, name: 'a' })],
];

let world: Embedded;
beforeAll(async () => {
  world = await startEmbedded(undefined);
  await installFixtures(world.server);
});
afterAll(() => world.close());

it("gives kube's client the same over HTTPS and inside the process", async () => {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(world.kubeconfigPath);
  const overHttps = createClient(
    { kubeConfig, clock, random, log: pino({ level: 'silent' }) },
    { userAgent: USER_AGENT },
  );
  const transport = createInProcessTransport(
    { server: world.api, clock, random },
    { user: ADMIN, userAgent: USER_AGENT },
  );
  const inside = createClientOn(transport);
  const remote = await run(overHttps, { id: 'qtransp1', ns: 'ct-qtransp1', ns2: 'ct-qtransp1-2' });
  const local = await run(inside, { id: 'qtransp2', ns: 'ct-qtransp2', ns2: 'ct-qtransp2-2' });
  expect(remote.length).toBe(ACTS.length);
  for (const [index, entry] of remote.entries()) expect(local[index]).toEqual(entry);
  const refused = remote.filter(({ answer }) => JSON.stringify(answer).includes('"refused"'));
  expect(refused.map(({ step }) => step)).toEqual([
    'create again',
    'create what is invalid',
    'create strictly',
    'get nothing',
    'update without a version',
    'update an old one',
    'apply against another',
    'JSON patch whose test fails',
    'list by what is no selector',
    'delete with a wrong uid',
    'delete again',
  ]);
  await Promise.all([overHttps.close(), inside.close()]);
});

async function run(client: Client, scope: Scope): Promise<readonly Entry[]> {
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: scope.ns } });
  const entries: Entry[] = [];
  for (const [step, act] of ACTS) entries.push({ step, answer: (await attempt(client, scope.ns, act)) as Json });
  return normalise({ entries, scope }, world.server.url);
}

async function attempt(client: Client, namespace: string, act: Act[1]): Promise<unknown> {
  try {
    return { answered: (await act(client, namespace)) ?? null };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    const { code, reason, message, details = null } = error;
    return { refused: { code, reason, message, details } };
  }
}

async function collect(lines: AsyncIterable<WatchLine>, count: number): Promise<readonly WatchLine[]> {
  const collected: WatchLine[] = [];
  for await (const line of lines) if (collected.push(line) === count) break;
  return collected;
}
