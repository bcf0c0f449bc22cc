import { expect } from 'vitest';
import { GIT_SECRET_TYPE } from '../../model/repository.ts';
import type { Stage } from './stage.ts';
import { renderDesktop, renderPlan, renderTenant, type Story } from './story.ts';

const OWNER = 'oidc:rex';
const REX = 't-rex';
const CARA = 't-rex--cara';
const FEED = 'sublet-repository';
const LIMITS = { vcpu: 8, memory: '16Gi', storage: '500Gi', desktops: 2, addresses: 2 };

/** A reseller that the provider sold to in the fleet, and that has everything else in a repository of its own. */
export const ownRepository: Story = {
  title: 'lets a reseller order for its customer in its own repository',
  async tell(stage) {
    const { forge } = stage.world;
    const repository = await forge.repository('rex');
    const secretName = `git.${forge.host.replace(':', '.')}`;
    const at = (path: string, url = repository.url) => ({
      type: 'Repository',
      repository: { url, path, secretRef: { name: secretName } },
    });
    const members = [{ kind: 'User', name: OWNER, role: 'Owner' }];
    await stage.world.write(
      'sublet-root/rex.yaml',
      renderTenant('rex', { id: 'rex-1', plan: 'team', type: 'Reseller', members, source: at('shop') }),
    );
    await stage.world.push('Sell to rex');
    await stage.condition('Tenant', ['sublet-root', 'rex'], {
      type: 'RepositoryFailed',
      status: 'True',
      reason: 'SecretNotFound',
    });
    await stage.condition('Tenant', ['sublet-root', 'rex'], { status: 'True' });
    await giveSecret(stage, REX, secretName);
    await refuseMember(stage, secretName);

    await repository.write('shop/pro.yaml', renderPlan('pro', { offers: 'Desktop', basedOn: 'performance' }));
    await repository.write('shop/studio.yaml', renderPlan('studio', { offers: 'Tenant', limits: LIMITS }));
    await repository.write(
      'shop/cara.yaml',
      renderTenant('cara', { id: 'cara-1', plan: 'studio', members, source: at('customers/cara') }),
    );
    await repository.write('customers/cara/desk.yaml', renderDesktop('desk', { username: 'cara' }));
    await repository.push('Sell to cara, who orders a desktop');
    await request(stage, REX);
    await stage.condition('Tenant', [REX, 'cara'], { status: 'True' });
    await giveSecret(stage, CARA, secretName);
    await stage.condition('RDPInstance', [CARA, 'desk'], { status: 'True' });
    const desktop = await stage.get('RDPInstance', CARA, 'desk');
    expect(desktop?.status?.origin).toBe('Git');
    await told(stage, undefined);
    expect(await stage.get('Kustomization', 'sublet-fleet', CARA)).toBeUndefined();

    await breakAndMend(stage, repository);
    await emptyAndRestore(stage, repository);
    await takeSecret(stage, CARA, secretName);
    await told(stage, 'SecretNotFound');
    await stage.gone('GitRepository', CARA, FEED);

    await repository.write('shop/cara.yaml', renderTenant('cara', { id: 'cara-1', plan: 'studio', members }));
    await repository.push('Let cara order by kubectl alone');
    await request(stage, REX);
    await stage.gone('Kustomization', CARA, FEED);
    await told(stage, undefined);
    const kept = await stage.eventually('the desktop stays, from no Git any more', async () => {
      const live = await stage.get('RDPInstance', CARA, 'desk');
      return live?.status?.origin === 'Outside' ? live : undefined;
    });
    expect(kept.metadata.deletionTimestamp).toBeUndefined();
    await stage.condition('RDPInstance', [CARA, 'desk'], { status: 'True' });
  },
};

type Repository = Awaited<ReturnType<Stage['world']['forge']['repository']>>;

/** What one customer's file breaks stays there, and is told to its seller. */
async function breakAndMend(stage: Stage, repository: Repository): Promise<void> {
  await repository.write('customers/cara/desk.yaml', renderDesktop('desk', { username: 'root' }));
  await repository.write('shop/lite.yaml', renderPlan('lite', { offers: 'Desktop', basedOn: 'basic' }));
  await repository.push('Ask for what is not allowed');
  await request(stage, REX);
  await request(stage, CARA);
  await stage.condition('Plan', [REX, 'lite'], { status: 'True' });
  await stage.eventually('the desktop is told', async () =>
    (await told(stage, 'ApplyFailed')).includes('RDPInstance/t-rex--cara/desk') ? true : undefined,
  );
  await stage.condition('RDPInstance', [CARA, 'desk'], { status: 'True' });

  await repository.write('customers/cara/desk.yaml', renderDesktop('desk', { username: 'cara' }));
  const account = `system:serviceaccount:${CARA}:${FEED}`;
  for (const [file, content, refusal] of [
    [
      'map.yaml',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}',
      `${account}" cannot patch resource "configmaps"`,
    ],
    ['eve.yaml', renderTenant('eve', { id: 'eve-1', plan: 'studio' }), `${account}" cannot patch resource "tenants"`],
    ['kustomization.yaml', '{"resources":["https://evil.example/base"]}', 'BuildFailed'],
  ] as const) {
    await repository.write(`customers/cara/${file}`, content);
    await repository.push(`Bring ${file}`);
    await request(stage, CARA);
    await stage.eventually(`${file} is told`, async () =>
      (await told(stage, 'ApplyFailed')).includes(refusal) ? true : undefined,
    );
    await repository.remove(`customers/cara/${file}`);
  }
  await repository.push('Take it back');
  await request(stage, CARA);
  await told(stage, undefined);
}

/** An emptied folder removes the desktop, whose disk stays; the same file brings it back. */
async function emptyAndRestore(stage: Stage, repository: Repository): Promise<void> {
  const disk = (await stage.get('DataVolume', CARA, 'rdp-desk'))?.metadata.uid;
  await repository.write('customers/cara/README.md', 'nothing\n');
  await repository.remove('customers/cara/desk.yaml');
  await repository.push('Empty the folder');
  await request(stage, CARA);
  await stage.gone('RDPInstance', CARA, 'desk');
  expect((await stage.get('DataVolume', CARA, 'rdp-desk'))?.metadata.uid).toBe(disk);
  await repository.write('customers/cara/desk.yaml', renderDesktop('desk', { username: 'cara' }));
  await repository.push('Bring it back');
  await request(stage, CARA);
  await stage.condition('RDPInstance', [CARA, 'desk'], { status: 'True' });
  expect((await stage.get('DataVolume', CARA, 'rdp-desk'))?.metadata.uid).toBe(disk);
}

/** As the Owner does it: it may write the one Secret by its name, by server-side apply. */
async function giveSecret(stage: Stage, namespace: string, name: string): Promise<void> {
  const { cluster, forge } = stage.world;
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: GIT_SECRET_TYPE,
    stringData: forge.access,
  };
  await stage.eventually(`${OWNER} may write Secret ${namespace}/${name}`, async () => {
    const applied = await cluster.kubectl(['apply', '--server-side', '-f', '-'], {
      as: OWNER,
      input: JSON.stringify(secret),
    });
    return applied.code === 0 ? true : undefined;
  });
}

/** kubectl would wait by reading, which nobody may. */
async function takeSecret({ world }: Stage, namespace: string, name: string): Promise<void> {
  const taken = await world.cluster.kubectl(['-n', namespace, 'delete', 'secret', name, '--wait=false'], { as: OWNER });
  expect(taken).toMatchObject({ code: 0 });
}

/** Nothing else: no other Secret, no reading, no object of Flux's, nobody else's host. */
async function refuseMember(stage: Stage, secretName: string): Promise<void> {
  const { cluster, forge } = stage.world;
  const flux = (group: string, kind: string, spec: object) =>
    JSON.stringify({ apiVersion: `${group}.toolkit.fluxcd.io/v1`, kind, metadata: { name: 'mine' }, spec });
  const sourceRef = { kind: 'GitRepository', name: FEED };
  const attempts: readonly (readonly [args: readonly string[], input?: string])[] = [
    [['get', 'secret', secretName]],
    [['create', 'secret', 'generic', 'git.other.example', '--type', GIT_SECRET_TYPE]],
    [
      ['apply', '--server-side', '-f', '-'],
      flux('source', 'GitRepository', { url: 'https://10.0.0.1/x', interval: '1m' }),
    ],
    [['create', '-f', '-'], flux('kustomize', 'Kustomization', { interval: '1m', prune: true, path: './', sourceRef })],
    [['patch', 'gitrepository', FEED, '--type=merge', '-p', '{"spec":{"url":"https://10.0.0.1/x"}}']],
    [['patch', 'kustomization', FEED, '--type=merge', '-p', '{"spec":{"serviceAccountName":"default"}}']],
    [['create', 'token', FEED]],
    [['-n', 'sublet-root', 'patch', 'tenant', 'rex', '--type=merge', '-p', '{"spec":{"source":null}}']],
  ];
  for (const [args, input] of attempts) {
    const options = { as: OWNER, ...(input === undefined ? {} : { input }) };
    const refused = await cluster.kubectl(['-n', REX, ...args], options);
    expect(refused.stderr, args.join(' ')).toMatch(/forbidden/i);
  }
  const elsewhere = renderTenant('eve', {
    id: 'eve-1',
    plan: 'studio',
    source: { type: 'Repository', repository: { url: 'https://evil.example/x', secretRef: { name: secretName } } },
  });
  const sent = await cluster.kubectl(['-n', REX, 'apply', '-f', '-'], { as: OWNER, input: elsewhere });
  expect(sent.stderr).toContain('a Secret is sent to no other host');
  expect(forge.access.password).not.toBe('');
}

/** Waits until the Tenant of cara says so of its repository, or nothing; gives the words. */
function told(stage: Stage, reason: string | undefined): Promise<string> {
  return stage.eventually(`the repository of cara: ${reason ?? 'fine'}`, async () => {
    const tenant = await stage.get('Tenant', REX, 'cara');
    const found = tenant?.status?.conditions?.find(({ type }) => type === 'RepositoryFailed');
    return found?.reason === reason ? (found?.message ?? '') : undefined;
  });
}

/** What a webhook of the forge would do. */
async function request(stage: Stage, namespace: string): Promise<void> {
  const exists = async () => ((await stage.get('GitRepository', namespace, FEED)) === undefined ? undefined : true);
  await stage.eventually(`GitRepository of ${namespace}`, exists);
  const annotations = { 'reconcile.fluxcd.io/requestedAt': new Date().toISOString() };
  await stage.patch('GitRepository', namespace, FEED, { metadata: { annotations } });
}
