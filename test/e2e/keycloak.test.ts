import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiError, type Change, type Client, createClient, waitForChange } from '../../client/index.ts';
import type { ApiServerIssuer } from '../cluster/controlplane.ts';
import type { Keycloak } from '../cluster/keycloak.ts';
import { createRest } from '../cluster/rest.ts';
import { type ApiProcess, startApiProcess } from '../support/api.ts';
import { describeWithOwnCluster } from '../support/cluster.ts';
import { describeWithKeycloak } from '../support/keycloak.ts';
import { startWorld, type World } from '../support/world.ts';
import { createStage, type Stage } from './stage.ts';
import { renderTenant } from './story.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SETTLE_MS = 600_000;
const REALM = 'sublet';
const PASSWORD = 'a long password of tests';
/** A group of the realm; its members are developers of the tenant acme--kim. */
const GROUP = 'kims-people';
const REVIEW = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const DESKTOPS = '/apis/sublet.dev/v1alpha1/namespaces/t-acme--kim/rdpinstances';

await describeWithKeycloak('people of a real Keycloak', (keycloak) => {
  beforeAll(() => makeRealm(keycloak()));

  const issuer = (): ApiServerIssuer => ({
    issuerUrl: keycloak().issuerUrl(REALM),
    clientId: 'sublet',
    usernameClaim: 'preferred_username',
    usernamePrefix: 'kc:',
    groupsClaim: 'groups',
    groupsPrefix: 'kc:',
    caPath: keycloak().caPath,
  });

  describeWithOwnCluster('on real Kubernetes and Flux', { flux: true, issuer }, (cluster) => {
    let world: World;
    let stage: Stage;
    let api: ApiProcess;

    beforeAll(async () => {
      world = await startWorld({ cluster: cluster(), simulator: ['--quick'] });
      stage = createStage(world);
      const folder = path.join('tenants', world.environment);
      await cp(path.join(ROOT, folder), path.join(world.checkout, folder), { recursive: true });
      const members = [{ kind: 'Group', name: `kc:${GROUP}`, role: 'Developer' }];
      const kim = { id: 'kim-1', displayName: 'Kim', plan: 'studio', members, source: { type: 'Fleet' } };
      await world.write('t-acme/kim.yaml', renderTenant('kim', kim));
      await world.push('Begin with the reference fleet and kim');
      const { caPath, ...settings } = issuer();
      api = await startApiProcess(cluster(), world.environment, { issuers: [settings], caPath });
      await stage.condition('Tenant', ['t-acme', 'kim'], { status: 'True' });
    });

    afterAll(async () => {
      await api?.stop();
      await world?.stop();
    });

    const signIn = (username: string, client = 'sublet') =>
      keycloak().login(REALM, client, { username, password: PASSWORD });
    const clientOf = (token: string): Client => createClient({ server: api.url, token });
    const listDesktops = (client: Client) => client.get('/v1/tenants/{path}/desktops', { path: { path: 'acme--kim' } });
    /** Calls the API server by the token alone. */
    const callCluster = async (token: string, method: 'GET' | 'POST', target: string, body?: object) => {
      const config = cluster().userKubeConfig('nobody');
      config.users = [{ name: 'keycloak', token }];
      config.contexts = config.contexts.map((context) => ({ ...context, user: 'keycloak' }));
      const rest = await createRest(config);
      try {
        return await rest.call(method, target, body);
      } finally {
        await rest.close();
      }
    };

    it('order by the ID token of their client, as the user that the API server takes them for', async () => {
      const { idToken } = await signIn('anna');
      const review = await callCluster(idToken, 'POST', REVIEW, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'SelfSubjectReview',
      });
      expect(review).toMatchObject({ status: 201 });
      expect(review.body).toMatchObject({
        status: { userInfo: { username: 'kc:anna', groups: expect.arrayContaining([`kc:${GROUP}`]) } },
      });
      const anna = clientOf(idToken);
      // The API learns of tenants by a watch.
      await expect.poll(() => listDesktops(anna).then(({ status }) => status, String)).toBe(200);
      const body = { name: 'desk', spec: { plan: 'pro', image: 'ubuntu-24', username: 'anna' } };
      const order = await anna.post('/v1/tenants/{path}/desktops', { path: { path: 'acme--kim' }, body } as never);
      const change = await waitForChange(anna, (order.data as Change).id, {
        until: 'Ready',
        timeoutMs: SETTLE_MS,
      });
      expect(change.state).toBe('Ready');
      await world.git('fetch', '--quiet', 'origin', 'main');
      expect(await world.git('log', '-1', '--format=%an', change.commit ?? '')).toBe('kc:anna');
    });

    it('see through the API what the API server lets them see', async () => {
      const [anna, sam] = await Promise.all([signIn('anna'), signIn('sam')]);
      expect((await callCluster(anna.idToken, 'GET', DESKTOPS)).status).toBe(200);
      expect((await listDesktops(clientOf(anna.idToken))).data).toMatchObject({ items: [{ name: 'desk' }] });
      expect((await callCluster(sam.idToken, 'GET', DESKTOPS)).status).toBe(403);
      const refused = listDesktops(clientOf(sam.idToken));
      await expect(refused).rejects.toBeInstanceOf(ApiError);
      await expect(refused).rejects.toMatchObject({ status: 404 });
    });

    it('are not taken by a token of another client, nor by one for other services', async () => {
      const [other, own] = await Promise.all([signIn('anna', 'other'), signIn('anna')]);
      for (const token of [other.idToken, own.accessToken]) {
        expect((await callCluster(token, 'GET', DESKTOPS)).status).toBe(401);
        await expect(listDesktops(clientOf(token))).rejects.toMatchObject({ status: 401 });
      }
    });

    it('are taken by a key that the issuer began to use meanwhile', async () => {
      await keycloak().admin('POST', `/${REALM}/components`, {
        name: 'newer',
        providerId: 'rsa-generated',
        providerType: 'org.keycloak.keys.KeyProvider',
        config: { priority: ['200'], enabled: ['true'], active: ['true'], algorithm: ['RS256'] },
      });
      const before = await signIn('anna');
      const client = clientOf(before.idToken);
      // Keys are asked for again ten seconds after they were at the earliest.
      const status = () =>
        listDesktops(client).then(
          () => 200,
          (error: ApiError) => error.status,
        );
      await expect.poll(status, { timeout: SETTLE_MS, interval: 500 }).toBe(200);
    });
  });
});

/** A realm with the client of Sublet, whose ID tokens name groups, another client, and two people. */
async function makeRealm(keycloak: Keycloak): Promise<void> {
  const groups = {
    name: 'groups',
    protocol: 'openid-connect',
    protocolMapper: 'oidc-group-membership-mapper',
    config: { 'claim.name': 'groups', 'full.path': 'false', 'id.token.claim': 'true', 'access.token.claim': 'true' },
  };
  const client = (clientId: string) => ({
    clientId,
    publicClient: true,
    standardFlowEnabled: false,
    directAccessGrantsEnabled: true,
    protocolMappers: [groups],
  });
  const person = (username: string, of: readonly string[]) => ({
    username,
    enabled: true,
    email: `${username}@example.com`,
    emailVerified: true,
    firstName: username,
    lastName: 'Example',
    credentials: [{ type: 'password', value: PASSWORD, temporary: false }],
    groups: of,
  });
  await keycloak.admin('POST', '', {
    realm: REALM,
    enabled: true,
    // Of both tokens; five minutes otherwise, which a busy machine may need for one order.
    accessTokenLifespan: 3_600,
    groups: [{ name: GROUP }],
    clients: [client('sublet'), client('other')],
    users: [person('anna', [`/${GROUP}`]), person('sam', [])],
  });
}
