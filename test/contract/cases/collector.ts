import { type Case, del, get, merge, post, status } from '../case.ts';
import { at, type JsonObject } from '../json.ts';
import { member, nothing } from '../picks.ts';
import { CONFIGMAPS, configMap, WIDGETS, widget } from '../resources.ts';

const OTHERS = '/api/v1/namespaces/{ns2}/configmaps';
const gone = status(404);
const HELD = { finalizers: ['example.com/hold'] };
const letGo = { metadata: { finalizers: null } };

const reference = (name: string, step: string, rest: JsonObject = {}): JsonObject => ({
  apiVersion: 'contract.sublet.dev/v1',
  kind: 'Widget',
  name,
  uid: `<<${step}:metadata.uid>>`,
  ...rest,
});
const ownedBy = (...ownerReferences: readonly JsonObject[]): JsonObject => ({ ownerReferences });

/** What the garbage collector does beside the ordinary. */
export const collectorCases: readonly Case[] = [
  {
    name: 'an owner in another namespace does not count',
    steps: [
      post(WIDGETS, widget('owner'), { name: 'made' }),
      post(OTHERS, configMap('child', {}, ownedBy(reference('owner', 'made')))),
      get(`${OTHERS}/child`, { until: gone }),
      get(`${WIDGETS}/owner`),
    ],
  },
  {
    name: 'in the foreground, what does not block is not waited for',
    steps: [
      post(WIDGETS, widget('owner'), { name: 'made' }),
      post(WIDGETS, widget('loose', {}, { ...HELD, ...ownedBy(reference('owner', 'made')) })),
      del(`${WIDGETS}/owner?propagationPolicy=Foreground`, undefined, { pick: nothing }),
      get(`${WIDGETS}/owner`, { until: gone }),
      get(`${WIDGETS}/loose`, { until: ({ body }) => at(body, 'metadata.deletionTimestamp') !== undefined }),
      merge(`${WIDGETS}/loose`, letGo, { pick: nothing }),
    ],
  },
  {
    name: 'a tree goes in the foreground, leaves first',
    steps: [
      post(WIDGETS, widget('top'), { name: 'top' }),
      post(WIDGETS, widget('middle', {}, ownedBy(reference('top', 'top', { blockOwnerDeletion: true }))), {
        name: 'middle',
      }),
      post(
        CONFIGMAPS,
        configMap('leaf', {}, { ...HELD, ...ownedBy(reference('middle', 'middle', { blockOwnerDeletion: true })) }),
      ),
      del(`${WIDGETS}/top?propagationPolicy=Foreground`, undefined, { pick: nothing }),
      get(`${CONFIGMAPS}/leaf`, {
        until: ({ body }) => at(body, 'metadata.deletionTimestamp') !== undefined,
        pick: nothing,
      }),
      get(`${WIDGETS}/middle`, { pick: member('metadata.finalizers') }),
      merge(`${CONFIGMAPS}/leaf`, letGo, { pick: nothing }),
      get(`${WIDGETS}/top`, { until: gone }),
      get(`${WIDGETS}/middle`),
    ],
  },
  {
    name: 'two that own each other go in the foreground',
    steps: [
      post(WIDGETS, widget('a'), { name: 'a' }),
      post(WIDGETS, widget('b', {}, ownedBy(reference('a', 'a', { blockOwnerDeletion: true }))), { name: 'b' }),
      merge(
        `${WIDGETS}/a`,
        { metadata: ownedBy(reference('b', 'b', { blockOwnerDeletion: true })) },
        { pick: nothing },
      ),
      del(`${WIDGETS}/a?propagationPolicy=Foreground`, undefined, { pick: nothing }),
      get(`${WIDGETS}/b`, { until: gone }),
      get(`${WIDGETS}/a`, { until: gone }),
    ],
  },
  {
    name: 'orphans keep their other owners',
    steps: [
      post(WIDGETS, widget('going'), { name: 'going' }),
      post(WIDGETS, widget('staying'), { name: 'staying' }),
      post(CONFIGMAPS, configMap('child', {}, ownedBy(reference('going', 'going'), reference('staying', 'staying')))),
      post(CONFIGMAPS, configMap('only', {}, ownedBy(reference('going', 'going')))),
      del(`${WIDGETS}/going?propagationPolicy=Orphan`, undefined, { pick: nothing }),
      get(`${WIDGETS}/going`, { until: gone }),
      get(`${CONFIGMAPS}/child`, { pick: member('metadata.ownerReferences') }),
      get(`${CONFIGMAPS}/only`, { pick: member('metadata.ownerReferences') }),
    ],
  },
];
