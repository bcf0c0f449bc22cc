import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { checkResource } from '../crds/rules/index.ts';
import { realClock } from '../kube/clock.ts';
import { createEvaluator } from '../source/evaluate.ts';
import { DEFAULT_LIMITS } from '../source/limits.ts';
import { isTenantNamespace } from '../source/main.ts';
import { splitTree } from '../source/split.ts';
import { readCheckout } from './fleet/checkout.ts';
import { judgeEnvironment } from './fleet/judge.ts';
import { makeFleet, SMALL_FLEET, type TestFleet, yaml } from './testing/fleet.ts';
import { run } from './testing/run.ts';

const ROOT = path.join(import.meta.dirname, '..');

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let fleet: TestFleet;
beforeEach(async () => {
  fleet = await makeFleet();
});
afterEach(() => fleet.remove());

const lint = (...args: readonly string[]) => run(['lint', ...args], { cwd: fleet.folder });
const desktop = (spec: Readonly<Record<string, unknown>> = {}) =>
  yaml('RDPInstance', 'desk', { plan: 'pro', image: 'ubuntu-24', username: 'bob', ...spec });

describe('sublet lint', () => {
  it('finds nothing in the reference fleet', async () => {
    const { code, out, err } = await run(['lint', ROOT, '--strict']);
    expect([code, out]).toEqual([0, '']);
    expect(err).toMatch(/^nothing is wrong: 27 resources in 6 folders of production, staging\n$/);
  });

  it('says file, line and rule, and lets a broken folder hide no other', async () => {
    await fleet.write({
      ...SMALL_FLEET,
      't-acme--bob/desk.yaml': desktop({ power: 'Running', images: 'x' }),
      't-acme/pro.yaml': 'kind: Plan\nkind: Plan\n',
      'sublet-root/extra.yaml': yaml('RDPInstance', 'mine', { plan: 'p', image: 'i', username: 'u' }),
    });
    const { code, out, err } = await lint();
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      "tenants/staging/sublet-root/extra.yaml:3: NoSeller: kind sublet-root holds Tenants, Plans and Quotas only; RDPInstance belongs in a tenant's namespace",
      'tenants/staging/t-acme--bob/desk.yaml:12: Schema: spec.images is not known; the members here are plan, image, username, power, restartedAt, access, deletion',
      'tenants/staging/t-acme/pro.yaml:2: Yaml: the key "kind" stands in the map twice',
      '',
    ]);
    expect(err).toBe('3 errors, 0 warnings: 6 resources in 3 folders of staging\n');
  });

  it('warns of what the operator would refuse, and fails for it when it is told to', async () => {
    await fleet.write({
      ...SMALL_FLEET,
      't-acme--bob/desk.yaml': desktop({ plan: 'huge' }),
      't-acme--bob/other.yaml': yaml('RDPInstance', 'other', { plan: 'pro', image: 'beos', username: 'bob' }),
      't-acme--bob/third.yaml': yaml('RDPInstance', 'third', { plan: 'studio', image: 'ubuntu-24', username: 'bob' }),
      't-acme/zoe-quota.yaml': yaml('Quota', 'zoe', { hard: { vcpu: 1 } }),
      't-acme/wide.yaml': yaml('Plan', 'wide', {
        title: 'Wide',
        offers: 'Desktop',
        basedOn: 'performance',
        currency: 'USD',
        desktop: { vcpu: 8 },
      }),
      't-acme/bob-quota.yaml': yaml('Quota', 'bob', { hard: { vcpu: 2 } }),
      't-gone/desk.yaml': desktop(),
    });
    const { code, out } = await lint();
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toEqual([
      'tenants/staging/t-acme--bob/desk.yaml:8: PlanNotFound: spec.plan: no Plan huge in namespace t-acme; create it or name another (warning)',
      'tenants/staging/t-acme--bob/other.yaml:9: ImageNotAllowed: spec.image: beos is not among the images of Plan pro: ubuntu-24, windows-11 (warning)',
      'tenants/staging/t-acme--bob/third.yaml:8: PlanNotFound: spec.plan: Plan studio offers Tenant, an RDPInstance needs one that offers Desktop (warning)',
      'tenants/staging/t-acme/bob.yaml:1: QuotaExceeded: acme--bob is given and passes on more than its Plan and Quota allow: vcpu 4 of 2; what comes last is refused. Raise the limit or order less (warning)',
      'tenants/staging/t-acme/wide.yaml:13: Widened: spec.desktop.vcpu: 8 is more than the 4 of Plan performance (warning)',
      'tenants/staging/t-acme/zoe-quota.yaml:5: TenantNotFound: metadata.name: no Tenant zoe in namespace t-acme; a Quota limits the Tenant of the same name beside it (warning)',
      'tenants/staging/t-gone: TenantNotFound: no Tenant in this environment has the namespace t-gone; what is in the folder waits until there is one (warning)',
    ]);
    expect((await lint('--strict')).code).toBe(1);
  });

  it('says nothing of plans that the repository does not hold', async () => {
    const acme = yaml('Tenant', 'acme', { id: 'acme-1', plan: 'team', type: 'Reseller' });
    await fleet.write({ ...SMALL_FLEET, 'sublet-root/acme.yaml': acme, 't-acme/pro.yaml': null });
    expect(await lint('--strict')).toMatchObject({ code: 0, out: '' });
  });

  it('prints for programs and for workflows', async () => {
    await fleet.write({
      ...SMALL_FLEET,
      't-acme--bob/desk.yaml': desktop({ plan: 'huge' }),
      't-acme--bob/100%,.yaml': 'a\n',
    });
    const json = await lint('-o', 'json');
    expect(JSON.parse(json.out)).toMatchObject({ environments: ['staging'], folders: 3, errors: 1, warnings: 1 });
    expect(json.err).toBe('');
    expect((await lint('-o', 'yaml')).out).toContain('errors: 1\n');
    const { out, code } = await lint('--format', 'github');
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      expect.stringMatching(
        /^::error file=tenants\/staging\/t-acme--bob\/100%25%2C\.yaml,title=FileName::a file is named/,
      ),
      '::warning file=tenants/staging/t-acme--bob/desk.yaml,line=8,title=PlanNotFound::spec.plan: no Plan huge in namespace t-acme; create it or name another',
    ]);
  });

  it('shows colours to a terminal that may have them', async () => {
    await fleet.write({ 'sublet-root/bad.yaml': 'a: [\n' });
    const shown = await run(['lint'], { cwd: fleet.folder, isTerminal: true });
    expect(shown.out).toContain('\u001b[31mYaml\u001b[39m');
    const plain = await run(['lint'], { cwd: fleet.folder, isTerminal: true, env: { NO_COLOR: '1' } });
    expect(plain.out).not.toContain('\u001b');
  });

  it.each([
    [
      ['elsewhere'],
      'is no checkout of a fleet repository: there is no tenants/ in it; name the folder that holds tenants/',
    ],
    [['--environment', 'moon'], '. has no environment "moon": a fleet is tenants/<environment>/<namespace>/*.yaml'],
    [
      ['--output', 'xml'],
      "option '-o, --output <format>' argument 'xml' is invalid. Allowed choices are text, json, yaml, github.",
    ],
  ])('exits 2 for %j', async (args, message) => {
    await fleet.write(SMALL_FLEET);
    const { code, err } = await lint(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

describe('sublet lint on garbage', () => {
  it('follows no link and reads nothing outside', async () => {
    await fleet.write(SMALL_FLEET);
    const staging = path.join(fleet.folder, 'tenants', 'staging');
    await symlink('/etc', path.join(staging, 't-etc'));
    await symlink('/etc/passwd', path.join(staging, 't-acme', 'passwd.yaml'));
    await symlink('/etc', path.join(fleet.folder, 'tenants', 'etc'));
    await link(path.join(staging, 't-acme', 'pro.yaml'), path.join(staging, 't-acme', 'hard.yaml'));
    const { code, out } = await lint();
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      'tenants/etc: LeftOut: is a symbolic link, which is not followed; an environment is a folder',
      'tenants/staging/t-acme/passwd.yaml: LeftOut: is a symbolic link, which never reaches the fleet source; put the file itself there, or remove it',
      expect.stringContaining('t-acme/pro.yaml:5: Duplicate:'),
      'tenants/staging/t-etc: LeftOut: is a symbolic link, which never reaches the fleet source; put the file itself there, or remove it',
    ]);
    expect(out).not.toContain('root:');
  });

  it('refuses a tenants/ that is a link', async () => {
    await symlink('/etc', path.join(fleet.folder, 'tenants'));
    expect(await lint()).toMatchObject({
      code: 2,
      err: expect.stringContaining('tenants/ is a symbolic link, which is not followed'),
    });
  });

  it('names sizes without reading what is too large', async () => {
    await fleet.write({ ...SMALL_FLEET, 't-acme/large.yaml': Buffer.alloc(200_000, 'a: 1\n') });
    const { open } = await import('node:fs/promises');
    const huge = await open(path.join(fleet.folder, 'tenants', 'staging', 't-acme--bob', 'huge.yaml'), 'w');
    await huge.truncate(20 * 1024 ** 3);
    await huge.close();
    const { code, out } = await lint();
    expect(code).toBe(1);
    expect(out).toContain('tenants/staging: unpackedBytes: the environment has ');
    expect(out).toContain('t-acme--bob: folderBytes: the folder has 21474836');
    expect(out).toContain(
      't-acme--bob/huge.yaml: fileBytes: the file has 21474836480 bytes, more than fileBytes 131072',
    );
    expect(out).toContain('t-acme/large.yaml: fileBytes: the file has 200000 bytes, more than fileBytes 131072');
  });

  it('holds a folder of binary, deep and hostile YAML and goes on', async () => {
    await fleet.write({
      ...SMALL_FLEET,
      't-acme--bob/binary.yaml': Uint8Array.from({ length: 4_096 }, (_, index) => (index * 89) % 256),
      't-acme--bob/tagged.yaml': 'a: !!binary aGVsbG8=\n',
      't-acme--bob/deep.yaml': `${'['.repeat(20_000)}\n`,
      't-acme--bob/bomb.yaml': `a: &a [x]\n${Array.from({ length: 40 }, (_, index) => `b${index}: *a`).join('\n')}\n`,
      't-acme--bob/nul.yaml': 'a: "\\0"\n',
      't-acme--bob/proto.yaml': '__proto__: {polluted: true}\n',
      't-acme--bob/sub/dir.yaml': desktop(),
      't-acme--bob/\u001b[2Jevil.yaml': 'a: 1\n',
    });
    const { code, out } = await lint();
    expect(code).toBe(1);
    expect(out).toContain('t-acme--bob/sub/dir.yaml: FlatFolder: a tenant folder is flat; move the file up');
    expect(out).toContain('t-acme--bob/\\u001b[2Jevil.yaml: FileName:');
    expect(out).not.toContain('\u001b');
    await fleet.write({ 't-acme--bob/sub/dir.yaml': null, 't-acme--bob/\u001b[2Jevil.yaml': null });
    const { out: inside } = await lint();
    for (const rule of [
      'binary.yaml: Utf8:',
      'tagged.yaml:1: ',
      'deep.yaml:1: yamlDepth:',
      'bomb.yaml:18: yamlAliases:',
    ])
      expect(inside).toContain(rule);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(inside).not.toContain('t-acme/');
  });

  it('counts 10^5 files and says where they are', async () => {
    await fleet.write(SMALL_FLEET);
    const folder = path.join(fleet.folder, 'tenants', 'staging', 't-acme--bob');
    await mkdir(folder, { recursive: true });
    const names = Array.from({ length: 100_000 }, (_, index) => path.join(folder, `f${index}.yaml`));
    await writeFile(path.join(folder, 'f.yaml'), '');
    for (let at = 0; at < names.length; at += 500) {
      await Promise.all(
        names
          .slice(at, at + 500)
          .map((name) => link(path.join(folder, 'f.yaml'), name).catch(() => writeFile(name, ''))),
      );
    }
    const { code, out } = await lint();
    expect(code).toBe(1);
    expect(out.trim().split('\n')).toEqual([
      'tenants/staging: entries: the environment has 100013 files and folders, more than entries 80000; tenants/staging/t-acme--bob alone has 100002; nothing of the environment is published',
      'tenants/staging/t-acme--bob: folderFiles: the folder has 100002 YAML files, more than folderFiles 5000',
    ]);
  }, 900_000);
});

it('ends when it is told to stop', async () => {
  const files = Array.from({ length: 400 }, (_, index) => [`t-acme--bob/d${index}.yaml`, desktop()] as const);
  await fleet.write({ ...SMALL_FLEET, ...Object.fromEntries(files) });
  const stop = new AbortController();
  // It has read none of the files by then.
  setImmediate(() => stop.abort(new Error('received SIGINT')));
  const { code, err } = await run(['lint'], { cwd: fleet.folder, signal: stop.signal });
  expect([code, err]).toEqual([1, 'sublet: received SIGINT\n']);
});

describe('the judgement', () => {
  it.each([
    ['good', {}],
    ['a customer that sells', { 't-acme--bob/plan.yaml': SMALL_FLEET['t-acme/pro.yaml'] ?? '' }],
    ['a broken customer', { 't-acme--bob/x.yaml': 'a: 010\n', 't-acme--bob/y.yaml': ': {' }],
    ['an unknown folder', { 't-zoe/desk.yaml': desktop({ power: 'Off' }) }],
    ['a duplicate', { 't-acme--bob/again.yaml': desktop() }],
    ['strays', { 'loose.yaml': 'a: 1\n', 'UPPER/x.yaml': 'a: 1\n' }],
  ])("is the fleet source's own: %s", async (_name, extra) => {
    await fleet.write({ ...SMALL_FLEET, ...extra });
    const tree = await readCheckout(fleet.folder);
    const judged = await judgeEnvironment(tree, 'staging', { breathe: async () => {} });
    const contents = await tree.read(tree.files.map(({ path: file }) => file));
    const files = tree.files.map((file) => ({ ...file, bytes: contents.get(file.path) ?? new Uint8Array() }));
    const split = splitTree(files, 'staging', isTenantNamespace);
    const evaluator = createEvaluator({
      store: NO_STORE,
      clock: realClock,
      check: checkResource,
      limits: DEFAULT_LIMITS,
    });
    const { verdicts } = await evaluator.evaluate(split, []);
    const ours = [...judged.folders].map(([name, { violations }]) => [name, violations]);
    const theirs = [...verdicts].map(([name, verdict]) => [name, verdict.ok ? [] : verdict.violations]).sort();
    expect(ours).toEqual(theirs);
    expect(judged.strays).toEqual(split.strays);
  });
});

const NO_STORE = {
  refresh: async () => {},
  find: () => undefined,
  list: () => [],
  read: () => Promise.reject(new Error('nothing is stored')),
  write: async () => {},
  remove: async () => {},
  pathOf: () => '',
};
