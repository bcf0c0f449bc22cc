import { afterAll, beforeAll, expect, it } from 'vitest';
import type { KubeObject } from '../../kube/object.ts';
import { createTestApi, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';

let api: TestApi;
beforeAll(async () => {
  api = await createTestApi();
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { members: [user('anna', 'Owner')] });
});
afterAll(() => api.close());

/** The API server gives events by name. */
function put(count: number, apiVersion: string, note: string): void {
  for (let i = 0; i < count; i++) {
    const name = `desk-${String(i).padStart(5, '0')}.${note}`;
    const eventTime = new Date(api.clock.now() + i * 1_000).toISOString();
    const regarding = { apiVersion, kind: 'RDPInstance', name: 'desk' };
    const event = { reason: 'Failed', type: 'Warning', note: `${note} ${i}`, regarding, eventTime };
    api.events.push({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name, namespace: 't-acme' },
      ...event,
    } as KubeObject);
  }
}

it('gives the newest events, however many others there are', async () => {
  put(700, 'v1', 'of a pod');
  put(600, 'sublet.dev/v1alpha1', 'of a desktop');
  const { items } = (await api.as('anna', { url: '/v1/tenants/acme/events' })).json();
  expect(items).toHaveLength(500);
  expect([items[0].note, items[499].note]).toEqual(['of a desktop 599', 'of a desktop 100']);
});
