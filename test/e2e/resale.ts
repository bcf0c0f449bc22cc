import { expect } from 'vitest';
import { type Change, waitForChange } from '../../client/index.ts';
import { GIT_SECRET_TYPE } from '../../model/repository.ts';
import type { ApiProcess } from '../support/api.ts';
import type { Stage } from './stage.ts';
import { renderTenant } from './story.ts';

const REX = 'oidc:rex';
const SETTLE_MS = 600_000;

/** An empty repository of a reseller, by https. */
export type OwnRepository = {
  readonly url: string;
  /** `<host>:<port>` of the URL. */
  readonly host: string;
  /** What Flux and the API read from a Secret to get in. */
  readonly access: Readonly<Record<string, string>>;
};

/**
 * The provider sells to rex, who has a repository of its own. By the API rex orders Plans and a customer, and for the customer a desktop; each order is a commit in that
 * repository, and Flux applies it from there.
 */
export async function sellInOwnRepository(stage: Stage, api: ApiProcess, repository: OwnRepository): Promise<void> {
  const { world } = stage;
  const secretName = `git.${repository.host.replace(':', '.')}`;
  const at = (path: string) => ({
    type: 'Repository',
    repository: { url: repository.url, path, secretRef: { name: secretName } },
  });
  const giveSecret = (namespace: string): Promise<unknown> =>
    world.cluster.admin.ask('POST', `/api/v1/namespaces/${namespace}/secrets`, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: secretName },
      type: GIT_SECRET_TYPE,
      stringData: repository.access,
    });
  const members = [{ kind: 'User', name: REX, role: 'Owner' }];
  const sold = { id: 'rex-1', plan: 'team', type: 'Reseller', members, source: at('shop') };
  await world.git('fetch', '--quiet', 'origin', 'main');
  await world.git('reset', '--quiet', '--hard', 'origin/main');
  await world.write('sublet-root/rex.yaml', renderTenant('rex', sold));
  await world.push('Sell to rex');
  await stage.condition('Tenant', ['sublet-root', 'rex'], { status: 'True' });
  await giveSecret('t-rex');

  const rex = await api.clientFor(REX);
  // The API learns of tenants and of namespaces by watches, one apart from the other.
  const known = (path: string): Promise<void> => {
    const list = () => rex.get('/v1/tenants/{path}/desktops', { path: { path } });
    return expect.poll(() => list().then(({ status }) => status, String)).toBe(200);
  };
  const order = async (tenant: string, kind: 'plans' | 'tenants' | 'desktops', body: object): Promise<Change> => {
    const { data } = await rex.post(`/v1/tenants/{path}/${kind}`, { path: { path: tenant }, body } as never);
    const change = await waitForChange(rex, (data as Change).id, { until: 'Ready', timeoutMs: SETTLE_MS });
    expect(change).toMatchObject({ state: 'Ready', commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
    return change;
  };
  await known('rex');
  const price = { title: 'Rex', currency: 'USD' };
  await order('rex', 'plans', { name: 'pro', spec: { ...price, offers: 'Desktop', basedOn: 'performance' } });
  const limits = { vcpu: 8, memory: '16Gi', storage: '500Gi', desktops: 2, addresses: 2 };
  await order('rex', 'plans', { name: 'studio', spec: { ...price, offers: 'Tenant', limits } });
  await order('rex', 'tenants', { name: 'cara', spec: { plan: 'studio', members, source: at('customers/cara') } });
  await giveSecret('t-rex--cara');
  await known('rex--cara');
  const desk = { plan: 'pro', image: 'ubuntu-24', username: 'cara' };
  const { commit } = await order('rex--cara', 'desktops', { name: 'desk', spec: desk });
  const desktop = await stage.get('RDPInstance', 't-rex--cara', 'desk');
  expect(desktop?.status?.origin).toBe('Git');
  await stage.handshake(String(desktop?.status?.address), Number(desktop?.status?.port));
  const revisionOf = async () =>
    (await stage.get('Kustomization', 't-rex--cara', 'sublet-repository'))?.status?.lastAppliedRevision;
  await expect.poll(revisionOf).toBe(`main@sha1:${commit}`);
}
