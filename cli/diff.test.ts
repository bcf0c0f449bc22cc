import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FleetDiff } from './fleet/diff.ts';
import { makeFleet, recurring, SMALL_FLEET, type TestFleet, yaml } from './testing/fleet.ts';
import { run } from './testing/run.ts';

const ROOT = path.join(import.meta.dirname, '..');

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let template: TestFleet;
let fleet: TestFleet;
beforeAll(async () => {
  template = await makeFleet();
  await template.write(SMALL_FLEET);
  await template.commit();
  await template.git('switch', '--quiet', '--create', 'feature');
});
afterAll(() => template.remove());
beforeEach(async () => {
  fleet = await makeFleet(template);
});
afterEach(() => fleet.remove());

const diff = (...args: readonly string[]) => run(['diff', '--base', 'main', ...args], { cwd: fleet.folder });
const desktop = (spec: Readonly<Record<string, unknown>> = {}, name = 'desk') =>
  yaml('RDPInstance', name, { plan: 'pro', image: 'ubuntu-24', username: 'bob', ...spec });

async function json(...args: readonly string[]): Promise<FleetDiff & { readonly code: number }> {
  const { out, code } = await diff('-o', 'json', ...args);
  return { ...JSON.parse(out), code };
}

describe('sublet diff', () => {
  it('shows an order: the resource, the limits it uses, and who pays what to whom', async () => {
    await fleet.write({ 't-acme--bob/second.yaml': desktop({}, 'second') });
    await fleet.commit();
    expect(await diff()).toEqual({
      code: 0,
      err: '',
      out: [
        'staging',
        '  + RDPInstance t-acme--bob/second',
        '      spec.plan: pro',
        '      spec.image: ubuntu-24',
        '      spec.username: bob',
        '      spec.power: Running',
        '      spec.access: {"type":"LoadBalancer"}',
        '      spec.deletion: {"policy":"Retain","graceDays":7}',
        '',
        'Limits',
        'TENANT      LIMIT       BEFORE           AFTER',
        'acme--bob   vcpu        4 of 8           8 of 8',
        'acme--bob   memory      8Gi of 32Gi      16Gi of 32Gi',
        'acme--bob   storage     100Gi of 500Gi   200Gi of 500Gi',
        'acme--bob   desktops    1 of 4           2 of 4',
        'acme--bob   addresses   1 of 4           2 of 4',
        '',
        'Recurring price a month',
        'TENANT      PAYS           LEVEL       CURRENCY   BEFORE    AFTER   DIFFERENCE',
        'acme        the provider   Wholesale   USD         30.00    60.00       +30.00',
        'acme--bob   acme           Retail      USD         84.00   123.00       +39.00',
        '',
      ].join('\n'),
    });
  });

  it('names fields, and takes a written-out default or another order for no change', async () => {
    await fleet.write({
      't-acme--bob/desk.yaml': null,
      't-acme--bob/moved.yaml': desktop({
        power: 'Stopped',
        access: { type: 'LoadBalancer' },
        deletion: { graceDays: 7 },
      }),
      'sublet-root/performance.yaml': yaml('Plan', 'performance', {
        title: 'Performance',
        offers: 'Desktop',
        currency: 'USD',
        price: [recurring('disk', '2.50', 'Stored'), recurring('base', '28.00')],
        desktop: { vcpu: 4, memory: '8Gi', storage: '100Gi', images: ['windows-11', 'debian-13'] },
      }),
    });
    await fleet.commit();
    const { environments } = await json();
    expect(environments[0]?.resources).toEqual([
      {
        action: 'changed',
        kind: 'Plan',
        namespace: 'sublet-root',
        name: 'performance',
        file: 'tenants/staging/sublet-root/performance.yaml',
        fields: [
          { path: 'spec.price[name=disk].recurring.amount', before: '2.00', after: '2.50' },
          { path: 'spec.desktop.images[]', before: 'ubuntu-24' },
          { path: 'spec.desktop.images[]', after: 'debian-13' },
        ],
      },
      expect.objectContaining({
        kind: 'RDPInstance',
        name: 'desk',
        fields: [{ path: 'spec.power', before: 'Running', after: 'Stopped' }],
      }),
    ]);
  });

  it('computes prices by level: suspension, power, seats, once a buyer, and two currencies', async () => {
    await fleet.write({
      'sublet-root/running.yaml': yaml('Plan', 'running', {
        title: 'Running',
        offers: 'Desktop',
        currency: 'EUR',
        price: [recurring('hours', '10.10', 'Running'), recurring('fee', '1.005', 'Exists', 'Buyer')],
        desktop: { vcpu: 1, memory: '1Gi', storage: '10Gi', images: ['ubuntu-24'] },
      }),
      't-acme/eco.yaml': yaml('Plan', 'eco', {
        title: 'Eco',
        offers: 'Desktop',
        basedOn: 'running',
        currency: 'EUR',
        price: [recurring('hours', '20.00', 'Running'), recurring('fee', '3.00', 'Exists', 'Buyer')],
      }),
      't-acme--bob/a.yaml': desktop({ plan: 'eco' }, 'a'),
      't-acme--bob/b.yaml': desktop({ plan: 'eco', power: 'Stopped' }, 'b'),
      't-acme/own.yaml': yaml('RDPInstance', 'own', { plan: 'running', image: 'ubuntu-24', username: 'own' }),
    });
    await fleet.commit();
    const rows = ({ environments }: FleetDiff) =>
      environments[0]?.prices.map(({ tenant, level, currency, before, after, difference }) =>
        [tenant, level, currency, before, after, difference].join(' '),
      );
    expect(rows(await json())).toEqual([
      'acme Retail EUR 0.00 11.105 +11.105',
      'acme Wholesale EUR 0.00 10.10 +10.10',
      'acme--bob Retail EUR 0.00 23.00 +23.00',
    ]);
    await fleet.git('branch', '--force', 'ordered');
    const bob = {
      id: 'bob-1',
      plan: 'studio',
      members: [
        { kind: 'User', name: 'oidc:bob', role: 'Owner' },
        { kind: 'User', name: 'oidc:eve', role: 'Viewer' },
      ],
      source: { type: 'Fleet' },
    };
    await fleet.write({ 't-acme/bob.yaml': yaml('Tenant', 'bob', { ...bob, suspensions: [{ reason: 'Payment' }] }) });
    await fleet.commit();
    expect(rows(await json('--base', 'ordered'))).toEqual([
      'acme Wholesale EUR 10.10 0.00 -10.10',
      'acme Wholesale USD 30.00 2.00 -28.00',
      'acme--bob Retail EUR 23.00 0.00 -23.00',
      'acme--bob Retail USD 84.00 0.00 -84.00',
    ]);
    await fleet.write({ 't-acme/bob.yaml': yaml('Tenant', 'bob', bob) });
    await fleet.commit();
    expect(rows(await json('--base', 'ordered'))).toEqual(['acme--bob Retail USD 84.00 129.00 +45.00']);
  });

  it('brings to light what would be held or refused, and only what is new', async () => {
    await fleet.git('switch', '--quiet', 'main');
    await fleet.write({ 't-acme--bob/old.yaml': desktop({ plan: 'gone' }, 'old') });
    await fleet.commit();
    await fleet.git('switch', '--quiet', '--create', 'broken');
    await fleet.write({
      't-acme--bob/desk.yaml': `# moved down\n${desktop({ username: 'ann' })}`,
      't-acme/pro.yaml': 'a: [',
      't-acme--bob/old.yaml': `# moved down\n${desktop({ plan: 'gone' }, 'old')}`,
    });
    await fleet.commit();
    const found = await json();
    expect(found.code).toBe(1);
    expect(found.environments[0]?.problems.map(({ file, line, rule }) => `${file}:${line} ${rule}`)).toEqual([
      'tenants/staging/t-acme--bob/desk.yaml:11 Immutable',
      'tenants/staging/t-acme/pro.yaml:1 Yaml',
    ]);
    // The last good content of the held folder stays, so nothing is removed and no price falls.
    expect(found.environments[0]?.resources.map(({ action, kind }) => `${action} ${kind}`)).toEqual([
      'changed RDPInstance',
    ]);
    expect(found.environments[0]?.prices).toEqual([]);
  });

  it('says when a limit is exceeded, which fails when it is told to', async () => {
    await fleet.write({ 't-acme--bob/b.yaml': desktop({}, 'b'), 't-acme--bob/c.yaml': desktop({}, 'c') });
    await fleet.commit();
    const { environments, code } = await json();
    expect(code).toBe(0);
    expect(environments[0]?.quotas.find(({ tenant, limit }) => tenant === 'acme--bob' && limit === 'vcpu')).toEqual({
      tenant: 'acme--bob',
      limit: 'vcpu',
      before: { used: '4', hard: '8' },
      after: { used: '12', hard: '8' },
      exceeded: true,
    });
    expect(environments[0]?.problems.map(({ rule }) => rule)).toEqual(['QuotaExceeded']);
    expect((await json('--strict')).code).toBe(1);
    expect((await diff()).out).toMatch(/^acme--bob {3}vcpu +4 of 8 +12 of 8 +exceeded$/m);
  });

  it('says when the fleet source will hold the whole revision', async () => {
    await fleet.write({
      't-acme--bob/desk.yaml': null,
      't-acme/bob.yaml': null,
      't-acme/pro.yaml': null,
      't-acme/studio.yaml': null,
    });
    await fleet.commit();
    const { environments, code } = await json();
    expect(code).toBe(1);
    expect(environments[0]?.problems).toContainEqual({
      severity: 'error',
      file: 'tenants/staging',
      line: 0,
      rule: 'RevisionHeld',
      message:
        'the branch removes more than may go without asking: 2 of 3 folders (without asking: 3) and 4 of 7 resources (without asking: 3); ' +
        'the fleet source holds the whole revision until a person confirms it',
    });
  });

  it('compares with where the branch left its base, and reads no file that is not committed', async () => {
    await fleet.git('switch', '--quiet', 'main');
    await fleet.write({ 't-acme--bob/later.yaml': desktop({}, 'later') });
    await fleet.commit();
    await fleet.git('switch', '--quiet', 'feature');
    await fleet.write({ 't-acme--bob/uncommitted.yaml': desktop({}, 'uncommitted') });
    expect(await diff()).toEqual({ code: 0, out: 'The branch changes nothing that is sold.\n', err: '' });
    expect((await json('--base', 'feature', '--head', 'main')).environments[0]?.resources).toMatchObject([
      { action: 'added', name: 'later' },
    ]);
  });

  it('writes a comment in which nothing of the branch is more than text', async () => {
    await fleet.write({
      't-acme/bob.yaml': yaml('Tenant', 'bob', {
        id: 'bob-1',
        plan: 'studio',
        displayName: '`@everyone` [x](http://evil) <img> |',
        source: { type: 'Fleet' },
      }),
      't-acme--bob/x.yaml': 'a: "<script>": [',
    });
    await fleet.commit();
    const { out, code } = await diff('-o', 'markdown');
    expect(code).toBe(1);
    expect(out).toContain(
      '### Sublet\n\n#### staging\n\n**1 problem**\n\n- `tenants/staging/t-acme--bob/x.yaml:1` **Yaml**',
    );
    expect(out).toContain('| acme--bob | acme | Retail | USD | 84.00 | 39.00 | -45.00 |');
    expect(out).toContain('  - ``spec.displayName: (absent) -> `@everyone` [x](http://evil) <img> |``');
    expect(out).not.toMatch(/(^|[^`])<script>/m);
  });

  it.each([
    [['--base', 'nowhere'], 'there is no commit "nowhere" here; fetch it first: git fetch origin nowhere'],
    [['--base=--output=/tmp/x'], 'there is no commit "--output=/tmp/x" here'],
    [['--base', 'main', '--head', 'HEAD:tenants'], 'there is no commit "HEAD:tenants" here'],
    [['--base', 'main', '/'], 'failed: fatal: not a git repository'],
    [['--base', 'main', 'nothing'], 'git is not installed, or there is no folder'],
    [[], "required option '--base <revision>' not specified"],
  ])('exits 2 for %j', async (args, message) => {
    const { code, err } = await run(['diff', ...args], { cwd: fleet.folder });
    expect(code).toBe(2);
    expect(err).toContain(message);
  });

  it('asks for the whole history where there is none in common', async () => {
    await fleet.git('switch', '--quiet', '--orphan', 'alone');
    await fleet.write(SMALL_FLEET);
    await fleet.commit();
    expect(await diff()).toMatchObject({ code: 2, err: expect.stringContaining('fetch the whole history') });
  });

  it("passes git's own words on where it may not read", async () => {
    vi.stubEnv('GIT_TEST_ASSUME_DIFFERENT_OWNER', '1');
    try {
      const { code, err } = await diff();
      expect([code, err]).toEqual([2, expect.stringContaining('detected dubious ownership')]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('runs no program that the repository names', async () => {
    await fleet.git('config', 'core.fsmonitor', 'touch fsmonitor-ran');
    await fleet.git('config', 'diff.external', 'touch external-ran');
    await fleet.git('config', 'filter.x.smudge', 'touch smudge-ran');
    await fleet.write({
      '../../.gitattributes': '* filter=x diff=x\n',
      't-acme--bob/second.yaml': desktop({}, 'second'),
    });
    await fleet.git('-c', 'core.fsmonitor=false', 'add', '--all');
    await fleet.git('-c', 'core.fsmonitor=false', 'commit', '--quiet', '--message', 'x');
    expect((await json()).environments[0]?.resources).toHaveLength(1);
    const { readdir } = await import('node:fs/promises');
    expect((await readdir(fleet.folder)).filter((name) => name.endsWith('-ran'))).toEqual([]);
  });

  it('sees links and submodules for what they are', async () => {
    const { symlink } = await import('node:fs/promises');
    await symlink('/etc/passwd', path.join(fleet.folder, 'tenants', 'staging', 't-acme', 'passwd.yaml'));
    await fleet.git('add', '--all');
    await fleet.git('update-index', '--add', '--cacheinfo', `160000,${'1'.repeat(40)},tenants/staging/t-sub`);
    await fleet.git('commit', '--quiet', '--message', 'Link elsewhere');
    const { environments } = await json();
    expect(environments[0]?.problems.map(({ file, message }) => `${file} ${message.split(',')[0]}`)).toEqual([
      'tenants/staging/t-acme/passwd.yaml is a symbolic link',
      'tenants/staging/t-sub is a submodule',
    ]);
  });
});

describe('sublet diff on the reference fleet', () => {
  it('is empty against itself, and the whole against nothing', async () => {
    await fleet.git('switch', '--quiet', '--orphan', 'reference');
    await fleet.git('commit', '--quiet', '--allow-empty', '--message', 'Begin');
    await fleet.git('branch', 'nothing');
    await cp(path.join(ROOT, 'tenants'), path.join(fleet.folder, 'tenants'), { recursive: true });
    await fleet.commit();
    expect((await diff('--base', 'reference')).out).toBe('The branch changes nothing that is sold.\n');
    const { environments, errors, warnings } = await json('--base', 'nothing');
    expect([errors, warnings]).toEqual([0, 0]);
    expect(environments.map(({ name, resources }) => `${name} ${resources.length}`)).toEqual([
      'production 15',
      'staging 12',
    ]);
    expect(
      environments[0]?.prices.map(({ tenant, level, currency, after }) => `${tenant} ${level} ${currency} ${after}`),
    ).toEqual(['acme Retail USD 70.00', 'acme Wholesale USD 30.00', 'acme--bob Retail USD 84.00']);
  });
});
