import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Cluster } from '../../../test/cluster/contract.ts';
import { installCrds } from '../../../test/cluster/crds.ts';
import { APPLY } from '../../../test/cluster/rest.ts';
import { describeWithCluster } from '../../../test/support/cluster.ts';
import { createSeededRandom } from '../../random.ts';
import { isObject, type JsonObject } from '../schema/json.ts';
import {
  configMapContent,
  customContent,
  customStatus,
  networkPolicyContent,
  secretContent,
  serviceContent,
} from './testing/content.ts';
import { findDifference, findMissing } from './testing/difference.ts';
import { CRD, findBuiltinNode, GROUP, OWNED, VERSION } from './testing/fixtures.ts';
import { type Answer, type Prediction, predict } from './testing/predict.ts';
import { drawRequest, type TestKind, type TestRequest, type WriteVerb } from './testing/requests.ts';

const SEED = process.env.SUBLET_PATCH_SEED ?? '1';
const SEQUENCES = Number(process.env.SUBLET_PATCH_SEQUENCES ?? 45);
const STEPS = 9;
const PARALLEL = 12;
const NAMESPACE = `patch-${Date.now().toString(36)}`;
/** How many shorter sequences are tried once one went wrong. */
const SHRINK_TRIES = 30;

describeWithCluster('ownership, as the API server has it', {}, (cluster) => {
  const kinds: TestKind[] = [];

  beforeAll(async () => {
    const { admin } = cluster();
    await installCrds(admin, [[CRD]]);
    await admin.ask('POST', '/api/v1/namespaces', { metadata: { name: NAMESPACE } });
    kinds.push(...(await buildKinds(cluster())));
  });

  afterAll(async () => {
    const { admin } = cluster();
    const { items } = (await admin.ask('GET', pathOf(kindNamed(kinds, 'Owned')))) as {
      readonly items: readonly JsonObject[];
    };
    for (const item of items)
      await release(cluster(), kindNamed(kinds, 'Owned'), String((item.metadata as JsonObject).name));
    for (const kind of kinds.filter(({ isCustom }) => !isCustom)) {
      const list = (await admin.ask('GET', pathOf(kind))) as { readonly items: readonly JsonObject[] };
      for (const item of list.items) await release(cluster(), kind, String((item.metadata as JsonObject).name));
    }
    await admin.call('DELETE', `/api/v1/namespaces/${NAMESPACE}`);
    await admin.call('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${CRD.metadata.name}`);
  });

  it.each(['Owned', 'ConfigMap', 'Secret', 'Service', 'NetworkPolicy'])('of a %s', async (name) => {
    const kind = kindNamed(kinds, name);
    const total = kind.isCustom ? 3 * SEQUENCES : SEQUENCES;
    const outcomes = { same: 0, refused: 0, invalid: 0 };
    const runs = Array.from({ length: total }, (_, index) => index);
    const failures: string[] = [];
    const work = async () => {
      for (let index = runs.shift(); index !== undefined && failures.length === 0; index = runs.shift()) {
        const steps = Array.from({ length: STEPS }, (_, step) => `${SEED}/${name}/${index}/${step}`);
        const difference = await runSteps(cluster(), kind, `s${index}`, steps, outcomes);
        if (difference !== undefined) failures.push(await shrink(cluster(), kind, `s${index}`, steps, difference));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, work));
    expect(failures[0]).toBeUndefined();
    expect(outcomes.same).toBeGreaterThan(total * 3);
    expect(outcomes.refused).toBeGreaterThan(total / 4);
    expect(outcomes.invalid).toBeLessThan(outcomes.same);
  });
});

type Outcomes = { same: number; refused: number; invalid: number };

function kindNamed(kinds: readonly TestKind[], name: string): TestKind {
  const kind = kinds.find((candidate) => candidate.kind === name);
  if (kind === undefined) throw new Error(`no kind ${name}`);
  return kind;
}

async function buildKinds({ admin }: Cluster): Promise<readonly TestKind[]> {
  const [core, networking] = await Promise.all([
    admin.ask('GET', '/openapi/v3/api/v1'),
    admin.ask('GET', '/openapi/v3/apis/networking.k8s.io/v1'),
  ]);
  const builtin = (kind: string, plural: string, content: TestKind['content']): TestKind => {
    const apiVersion = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'v1';
    const node = findBuiltinNode(kind === 'NetworkPolicy' ? networking : core, kind);
    const resetFields = kind === 'Service' ? [['status']] : [];
    return { kind, apiVersion, plural, node, isCustom: false, content, status: undefined, resetFields };
  };
  const apiVersion = `${GROUP}/${VERSION}`;
  return [
    {
      ...{ kind: 'Owned', apiVersion, plural: 'owneds', node: OWNED.node, isCustom: true },
      ...{
        empty: { apiVersion, kind: 'Owned' },
        content: customContent,
        status: customStatus,
        resetFields: [['status']],
      },
    },
    builtin('ConfigMap', 'configmaps', configMapContent),
    builtin('Secret', 'secrets', secretContent),
    builtin('Service', 'services', serviceContent),
    builtin('NetworkPolicy', 'networkpolicies', networkPolicyContent),
  ];
}

/** Runs the steps, each drawn from its seed and the object as it is then. Answers the first difference. */
async function runSteps(
  cluster: Cluster,
  kind: TestKind,
  name: string,
  steps: readonly string[],
  outcomes: Outcomes,
): Promise<string | undefined> {
  let live: JsonObject | undefined;
  for (const [index, seed] of steps.entries()) {
    const request = drawRequest(kind, name, live, createSeededRandom(seed));
    const answer = await send(cluster, kind, name, request);
    const prediction = predict(kind, NAMESPACE, live, request, answer);
    const difference = compare(kind, prediction, answer, outcomes);
    if (difference !== undefined) return renderFailure(steps.slice(0, index + 1), request, live, answer, difference);
    if (answer.status < 300) live = answer.body;
  }
  return undefined;
}

const CONTENT_TYPES: Readonly<Record<WriteVerb, string>> = {
  create: 'application/json',
  update: 'application/json',
  apply: APPLY,
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
};

async function send({ admin }: Cluster, kind: TestKind, name: string, request: TestRequest): Promise<Answer> {
  const { verb, manager, force, body, subresource } = request;
  const query = `?fieldManager=${manager}${verb === 'apply' ? `&force=${force}` : ''}`;
  const object = `${pathOf(kind)}/${name}${subresource === undefined ? '' : `/${subresource}`}`;
  const method = verb === 'create' ? 'POST' : verb === 'update' ? 'PUT' : 'PATCH';
  const path = verb === 'create' ? pathOf(kind) : object;
  const reply = await admin.call(method, `${path}${query}`, body, CONTENT_TYPES[verb]);
  return { status: reply.status, body: isObject(reply.body) ? reply.body : {} };
}

function pathOf({ apiVersion, plural }: TestKind): string {
  return `${apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`}/namespaces/${NAMESPACE}/${plural}`;
}

function compare(kind: TestKind, prediction: Prediction, answer: Answer, outcomes: Outcomes): string | undefined {
  if (answer.status >= 300) {
    if ('refusal' in prediction) {
      outcomes.refused += 1;
      return findDifference(withSortedCauses(prediction.refusal), withSortedCauses(answer.body));
    }
    // What the schema forbids is not refused here.
    outcomes.invalid += 1;
    if ('undecodable' in prediction) return undefined;
    return answer.body.reason === 'Invalid' ? undefined : `not refused, the real one: ${JSON.stringify(answer.body)}`;
  }
  if ('refusal' in prediction) return `refused with ${JSON.stringify(prediction.refusal)}, the real one did it`;
  if ('undecodable' in prediction) return `${prediction.undecodable}, the real one did it`;
  outcomes.same += 1;
  const [object, real] = kind.isCustom
    ? [prediction.object, answer.body]
    : [ownershipOf(prediction.object), ownershipOf(answer.body)];
  // Custom resources are written with all members sorted by their texts, these too.
  const difference = findDifference(object, real, { orderedBelow: kind.isCustom ? '-' : 'fieldsV1' });
  return difference ?? (kind.isCustom ? undefined : findMissing(prediction.object, answer.body));
}

function ownershipOf(object: JsonObject): unknown {
  const { managedFields } = object.metadata as JsonObject;
  return { managedFields };
}

function withSortedCauses(status: JsonObject): unknown {
  const details = isObject(status.details) ? status.details : undefined;
  if (!Array.isArray(details?.causes)) return status;
  const causes = details.causes.map((cause) => JSON.stringify(cause)).sort();
  return { ...status, details: { ...details, causes } };
}

/** Tries to find the same with fewer steps. */
async function shrink(
  cluster: Cluster,
  kind: TestKind,
  name: string,
  steps: readonly string[],
  found: string,
): Promise<string> {
  let [shortest, difference] = [steps, found];
  let tries = 0;
  for (let index = shortest.length - 1; index >= 0 && tries < SHRINK_TRIES; index -= 1) {
    tries += 1;
    const shorter = shortest.filter((_, at) => at !== index);
    const outcomes = { same: 0, refused: 0, invalid: 0 };
    const again = await runSteps(cluster, kind, `${name}-${tries}`, shorter, outcomes);
    if (again !== undefined) [shortest, difference] = [shorter, again];
  }
  return difference;
}

function renderFailure(
  steps: readonly string[],
  request: TestRequest,
  live: JsonObject | undefined,
  answer: Answer,
  difference: string,
): string {
  return [
    difference,
    `steps: ${steps.join(' ')}`,
    `last: ${JSON.stringify(request)}`,
    `on: ${JSON.stringify(live)}`,
    `the real answer: ${answer.status} ${JSON.stringify(answer.body)}`,
  ].join('\n');
}

/** Lets an object go that a finalizer would hold. */
async function release({ admin }: Cluster, kind: TestKind, name: string): Promise<void> {
  const path = `${pathOf(kind)}/${name}`;
  await admin.call('PATCH', path, { metadata: { finalizers: null } }, CONTENT_TYPES.merge);
  await admin.call('DELETE', path);
}
