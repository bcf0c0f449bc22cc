import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Reply } from '../../../test/cluster/rest.ts';
import { describeWithCluster } from '../../../test/support/cluster.ts';
import { createSeededRandom, type SeededRandom } from '../../random.ts';
import { isObject, type JsonObject } from '../schema/json.ts';
import { ApiError } from '../status.ts';
import { applyStrategicMergePatch, typeOf } from './index.ts';
import { findDifference, findMissing } from './testing/difference.ts';
import { findBuiltinNode } from './testing/fixtures.ts';
import type { TypeNode } from './typenode.ts';

const NAMESPACE = `patch-strategic-${Date.now().toString(36)}`;
const PATCHES = 250;
const STRATEGIC = 'application/strategic-merge-patch+json';

const TEMPLATE = {
  apiVersion: 'v1',
  kind: 'PodTemplate',
  metadata: { name: 'one', labels: { a: '1', b: '2' }, finalizers: ['x.test/a', 'x.test/b'] },
  template: {
    metadata: { labels: { app: 'one' } },
    spec: {
      nodeSelector: { disk: 'ssd' },
      containers: [
        {
          ...{ name: 'main', image: 'main:1', args: ['--a', '--b'] },
          env: [
            { name: 'A', value: '1' },
            { name: 'B', value: '2' },
            { name: 'C', value: '3' },
          ],
          ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
        { name: 'side', image: 'side:1' },
        { name: 'last', image: 'last:1' },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
      tolerations: [{ key: 'a', operator: 'Exists' }],
    },
  },
};

describeWithCluster('strategic merge patches, as the API server applies them', {}, (cluster) => {
  const path = `/api/v1/namespaces/${NAMESPACE}/podtemplates`;
  let live: JsonObject = {};
  let type: TypeNode;

  beforeAll(async () => {
    const { admin } = cluster();
    await admin.ask('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    live = (await admin.ask('POST', path, TEMPLATE)) as JsonObject;
    type = typeOf(findBuiltinNode(await admin.ask('GET', '/openapi/v3/api/v1'), 'PodTemplate'));
  });

  afterAll(async () => {
    const { admin } = cluster();
    await admin.call('PATCH', `${path}/one`, { metadata: { finalizers: null } }, 'application/merge-patch+json');
    await admin.call('DELETE', `/api/v1/namespaces/${NAMESPACE}`);
  });

  it('of a pod template', async () => {
    let same = 0;
    for (let index = 0; index < PATCHES; index += 1) {
      const patch = drawPatch(createSeededRandom(`strategic/${index}`));
      const reply = await cluster().admin.call('PATCH', `${path}/one?dryRun=All`, patch, STRATEGIC);
      const difference = compare(live, patch, type, reply);
      expect(difference, JSON.stringify({ patch, reply })).toBeUndefined();
      if (reply.status === 200) same += 1;
    }
    expect(same).toBeGreaterThan(PATCHES / 2);
  });
});

function compare(live: JsonObject, patch: JsonObject, type: TypeNode, { status, body }: Reply): string | undefined {
  const real = isObject(body) ? body : {};
  try {
    const predicted = applyStrategicMergePatch(live, patch, type);
    if (status === 422) return undefined;
    if (status >= 300) return 'not refused';
    return findMissing(contentOf(predicted), contentOf(real)) ?? findMissing(listsOf(real), listsOf(predicted));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return findDifference({ ...error.status }, { ...real });
  }
}

function contentOf({ metadata, template }: JsonObject): unknown {
  const { labels, finalizers } = metadata as JsonObject;
  return { template, labels, finalizers };
}

/** What must not be there but was predicted. */
function listsOf({ metadata, template }: JsonObject): unknown {
  const spec = (template as { readonly spec?: JsonObject }).spec ?? {};
  const { labels, finalizers } = metadata as JsonObject;
  const stated = Object.entries({ labels, finalizers, nodeSelector: spec.nodeSelector });
  return Object.fromEntries(stated.filter(([, value]) => Object.keys(value ?? {}).length > 0));
}

type Draw = (random: SeededRandom) => unknown;

function maybe(random: SeededRandom, members: Readonly<Record<string, Draw>>, probability = 0.4): JsonObject {
  const drawn = Object.entries(members).filter(() => random.chance(probability));
  return Object.fromEntries(drawn.map(([name, draw]) => [name, draw(random)]));
}

function shuffled(random: SeededRandom, items: readonly string[]): readonly string[] {
  const left = [...items];
  const length = random.integer(1, items.length);
  return Array.from({ length }, () => left.splice(random.integer(0, left.length - 1), 1)[0] ?? '');
}

const drawEnv: Draw = (random) =>
  shuffled(random, ['A', 'C', 'D']).map((name) =>
    random.chance(0.2) ? { $patch: 'delete', name } : { name, value: random.pick(['7', null]) },
  );

const drawContainer = (random: SeededRandom, name: string): JsonObject =>
  random.chance(0.15)
    ? { $patch: 'delete', name }
    : {
        name,
        image: `${name}:${random.integer(1, 2)}`,
        ...maybe(random, {
          env: drawEnv,
          args: () => random.pick([['--c'], null, []]),
          ports: () => [{ containerPort: random.pick([80, 81]), name: 'x' }],
          volumeMounts: () => [{ mountPath: random.pick(['/data', '/more']), name: 'data', readOnly: true }],
          resources: () => ({ limits: { cpu: '1' } }),
        }),
      };

function drawPatch(random: SeededRandom): JsonObject {
  if (random.chance(0.12)) return random.pick(MALFORMED);
  const names = shuffled(random, ['main', 'side', 'last', 'new']);
  const containers = names.map((name) => drawContainer(random, name));
  const stated = containers.filter((container) => !('$patch' in container)).map(({ name }) => ({ name }));
  const order = random.chance(0.5) ? [...stated, { name: 'extra' }] : stated;
  const spec = maybe(random, {
    containers: () => (random.chance(0.1) ? [...containers, { $patch: 'replace' }] : containers),
    '$setElementOrder/containers': () => order,
    nodeSelector: () =>
      random.pick<unknown>([
        { disk: null, zone: 'a' },
        { $patch: 'replace', zone: 'b' },
        { $retainKeys: ['zone'], zone: 'c' },
        null,
      ]),
    tolerations: () => [{ key: 'b', operator: 'Exists' }],
    volumes: () => [
      { name: 'data', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } },
      { name: 'more', emptyDir: {} },
    ],
    dnsPolicy: () => 'Default',
  });
  const metadata = maybe(
    random,
    {
      labels: () => random.pick<unknown>([{ a: null, c: '3' }, { $patch: 'delete' }, null]),
      finalizers: () => shuffled(random, ['x.test/a', 'x.test/c', 'x.test/d']),
      '$deleteFromPrimitiveList/finalizers': () => [random.pick(['x.test/a', 'x.test/z'])],
      '$setElementOrder/finalizers': () => ['x.test/d', 'x.test/c', 'x.test/a'],
    },
    0.3,
  );
  if ('finalizers' in metadata && '$setElementOrder/finalizers' in metadata)
    metadata.finalizers = ['x.test/c', 'x.test/a'];
  return { metadata, template: { spec } };
}

/** Directives that nothing can be made of. */
const MALFORMED: readonly JsonObject[] = [
  { metadata: { $patch: 'frobnicate' } },
  { template: { spec: { containers: [{ image: 'nameless' }] } } },
  { template: { spec: { containers: [{ $patch: 'merge', name: 'main' }] } } },
  { template: { spec: { containers: [{ $patch: 'odd', name: 'main' }] } } },
  { template: { spec: { containers: [{ $patch: 'delete' }] } } },
  { template: { spec: { nodeSelector: { $retainKeys: ['a'], b: 'c' } } } },
  { template: { spec: { nodeSelector: { $retainKeys: 'a' } } } },
  { template: { spec: { $setElementOrder: [{ name: 'main' }] } } },
  { metadata: { $deleteFromPrimitiveList: ['x.test/a'] } },
  { template: { spec: { '$setElementOrder/containers': [{ name: 'side' }], containers: [{ name: 'main' }] } } },
];
