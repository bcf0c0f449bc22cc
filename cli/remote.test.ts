import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GOES_WELL, type RunningApi, startApi } from './testing/api.ts';
import { type RunOptions, run as runCli } from './testing/run.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let running: RunningApi;
let home = '';
let token = '';

beforeAll(async () => {
  running = await startApi();
  token = await running.tokenOf('anna');
});
afterAll(() => running.stop());
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'sublet-cli-'));
  running.outcomes = GOES_WELL;
});
afterEach(() => rm(home, { recursive: true, force: true }));

const bob = () => ({ SUBLET_SERVER: running.url, SUBLET_TOKEN: token, SUBLET_TENANT: 'acme--bob' });
const sublet = (args: readonly string[], options: RunOptions = {}) =>
  runCli(args, { home, cwd: home, env: bob(), ...options });

describe('reading', () => {
  it('prints a table, and no column that is wide', async () => {
    const { code, out, err } = await sublet(['desktop', 'list']);
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')[0]).toBe(
      'NAME        PLAN   IMAGE       POWER     ADDRESS        READY   REASON      PENDING   AGE',
    );
    expect(out).toMatch(/^anna-desk {3}pro {4}ubuntu-24 {3}Running {3}198\.51\.100\.7 {3}True {4}Succeeded/m);
    expect((await sublet(['desktop', 'list', '-o', 'wide'])).out).toContain('it answers RDP');
  });

  it('prints for programs', async () => {
    expect(JSON.parse((await sublet(['desktop', 'list', '-o', 'json'])).out)).toMatchObject({
      items: [{ name: 'anna-desk', tenant: 'acme--bob', spec: { plan: 'pro' } }],
    });
    expect((await sublet(['desktop', 'get', 'anna-desk', '-o', 'yaml'])).out).toContain(
      'name: anna-desk\ntenant: acme--bob\n',
    );
    expect((await sublet(['plan', 'list', '--tenant', 'acme', '-o', 'name'])).out).toBe('plan/pro\nplan/studio\n');
  });

  it('shows prices, tenants and members', async () => {
    expect((await sublet(['plan', 'get', 'pro', '--tenant', 'acme'])).out).toContain('39.00 USD');
    expect((await sublet(['tenant', 'list', '--tenant', 'acme'])).out).toContain('acme--bob   Customer   studio');
    expect((await sublet(['tenant', 'mine', '-o', 'name'])).out).toBe('tenant/acme\ntenant/acme--bob\n');
    expect((await sublet(['tenant', 'get'])).out).toContain('acme--bob');
    expect((await sublet(['tenant', 'member', 'list', '-o', 'name'])).out).toBe('user/oidc:anna\nuser/oidc:vera\n');
    expect(await sublet(['quota', 'list', '--tenant', 'acme'])).toEqual({ code: 0, out: '', err: 'No quotas.\n' });
  });

  it('fails alike for what is not there and what may not be seen', async () => {
    const missing = await sublet(['desktop', 'get', 'nothing']);
    const foreign = await sublet(['desktop', 'get', 'anna-desk'], {
      env: { ...bob(), SUBLET_TOKEN: await running.tokenOf('eve') },
    });
    expect(missing).toEqual({
      code: 1,
      out: '',
      err: 'sublet: there is nothing here, or you have no right to see it; check the path and who you are\n',
    });
    expect(foreign).toEqual(missing);
  });
});

describe('writing', () => {
  it('orders a desktop and follows it to Ready', async () => {
    const { code, out, err } = await sublet([
      'desktop',
      'new',
      'lab',
      '--plan',
      'pro',
      '--image',
      'ubuntu-24',
      '--username',
      'lab',
      '--wait',
      '-o',
      'json',
    ]);
    expect([code, err.trim().split('\n').at(-1)]).toEqual([0, 'Ready']);
    expect(err).toMatch(/^(Accepted\n)?(Committed\n)?(Applied\n)?Ready\n$/);
    expect(JSON.parse(out)).toMatchObject({
      state: 'Ready',
      type: 'Create',
      target: { kind: 'RDPInstance', name: 'lab', tenant: 'acme--bob' },
    });
  });

  it('says where the pull request is that has to be merged', async () => {
    const pullRequest = { number: 7, url: 'https://git.example.com/provider/fleet/pulls/7' };
    running.outcomes = [{ state: 'Proposed', pullRequest }];
    const { code, err } = await sublet(['desktop', 'restart', 'anna-desk', '--wait', '--timeout', '15']);
    expect([code, err]).toEqual([3, expect.stringContaining(`Proposed: ${pullRequest.url}\n`)]);
  });

  it('says what became of a change that did not get there, and fails', async () => {
    const differences = [{ path: 'spec.power', seen: 'Running', wanted: 'Stopped', found: 'Off' }];
    running.outcomes = [{ state: 'Conflict', reason: 'Changed', message: 'somebody was first', differences }];
    const { code, err } = await sublet(['desktop', 'stop', 'anna-desk', '--wait']);
    expect(code).toBe(1);
    expect(err).toMatch(
      /sublet: change I[0-9a-f]{40} is Conflict: Changed: somebody was first\n {2}spec\.power: wanted "Stopped", found "Off"\n$/,
    );
  });

  it('stops waiting when the time is over, and says how to go on', async () => {
    running.outcomes = [{ state: 'Committed', commit: 'c'.repeat(40) }];
    const { code, err } = await sublet(['desktop', 'restart', 'anna-desk', '--wait', '--timeout', '15']);
    expect(code, err).toBe(3);
    expect(err).toMatch(/was not Ready within 15 s; it is Committed\. It goes on: sublet change wait I[0-9a-f]{40}\n$/);
    const id = /wait (I[0-9a-f]{40})/.exec(err)?.[1] ?? '';
    running.outcomes = GOES_WELL;
    expect(await sublet(['change', 'wait', id, '-o', 'name'])).toMatchObject({ code: 0, out: `change/${id}\n` });
    expect((await sublet(['change', 'list', '-o', 'name'])).out).toContain(`change/${id}\n`);
    expect((await sublet(['change', 'get', id, '-o', 'wide'])).out).toContain('oidc:anna   cccccccccccc');
  });

  it('is one order when it is repeated with its key', async () => {
    const order = [
      'desktop',
      'new',
      'twice',
      '--plan',
      'pro',
      '--image',
      'ubuntu-24',
      '--username',
      'lab',
      '--idempotency-key',
      'order-1',
      '-o',
      'name',
    ];
    const [first, second] = [await sublet(order), await sublet(order)];
    expect(first.code).toBe(0);
    expect(second).toEqual(first);
    const other = await sublet(order.map((word) => (word === 'twice' ? 'thrice' : word)));
    expect(other).toMatchObject({
      code: 1,
      err: expect.stringContaining('Idempotency-Key belongs to another request'),
    });
  });

  it('sends nothing with --dry-run, and checks before', async () => {
    const before = (await sublet(['change', 'list', '-o', 'name'])).out;
    const order = ['desktop', 'new', 'x', '--image', 'ubuntu-24', '--username', 'x', '--plan'];
    const { code, out } = await sublet([...order, 'pro', '--allow', '203.0.113.0/24', '--dry-run']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      method: 'POST',
      path: '/v1/tenants/acme--bob/desktops',
      body: {
        name: 'x',
        spec: { plan: 'pro', image: 'ubuntu-24', username: 'x', access: { allow: ['203.0.113.0/24'] } },
      },
    });
    const wrong = await sublet([...order, 'Not A Plan', '--allow', '203.0.113.7/24', '--dry-run']);
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain('spec.plan: must be a name');
    expect(wrong.err).toContain('spec.access.allow[0]: must be a network');
    expect((await sublet(['change', 'list', '-o', 'name'])).out).toBe(before);
  });

  it("shows each field that a rule of the server's refuses", async () => {
    const { code, err } = await sublet([
      'desktop',
      'new',
      'bad',
      '--plan',
      'nothing',
      '--image',
      'ubuntu-24',
      '--username',
      'x',
    ]);
    expect(code).toBe(1);
    expect(err).toContain('/spec/plan');
    expect(err).toContain('nothing');
  });

  it('makes a tenant with an identity of its own', async () => {
    const { code, out } = await sublet([
      'tenant',
      'new',
      'acme--zoe',
      '--plan',
      'studio',
      '--owner',
      'oidc:zoe',
      '--dry-run',
    ]);
    expect(code).toBe(0);
    const { path: to, body } = JSON.parse(out) as { path: string; body: { name: string; spec: { id: string } } };
    expect([to, body.name]).toEqual(['/v1/tenants/acme/tenants', 'zoe']);
    expect(body.spec).toEqual({
      id: expect.stringMatching(/^zoe-[a-z0-9]{5}$/),
      plan: 'studio',
      members: [{ kind: 'User', name: 'oidc:zoe', role: 'Owner' }],
      source: { type: 'Fleet' },
    });
    expect(await sublet(['tenant', 'new', 'acme--zoe', '--plan', 'studio', '--wait'])).toMatchObject({ code: 0 });
  });

  it('suspends, adding to what is there, and resumes', async () => {
    const preview = async (...args: readonly string[]) =>
      JSON.parse((await sublet(['tenant', 'set', 'acme--bob', '--dry-run', ...args])).out).body.spec;
    expect(await preview('--suspend', 'Payment')).toEqual({ suspensions: [{ reason: 'Payment' }] });
    expect(await preview('--resume', '--plan', 'studio')).toEqual({ suspensions: null, plan: 'studio' });
    expect(await sublet(['tenant', 'set', 'acme--bob'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing is to be set'),
    });
    expect(await sublet(['tenant', 'set', 'acme--bob', '--suspend', 'Abuse', '--wait', 'Applied'])).toMatchObject({
      code: 0,
    });
  });

  it('applies files as a repository has them, and overwrites nothing that it did not see', async () => {
    const file = path.join(home, 'quota.yaml');
    await writeFile(
      file,
      'apiVersion: sublet.dev/v1alpha1\nkind: Quota\nmetadata: {name: bob}\nspec:\n  hard: {vcpu: 12}\n',
    );
    const apply = (...args: readonly string[]) => sublet(['quota', 'apply', '--tenant', 'acme', '-f', file, ...args]);
    expect(await apply('--wait')).toMatchObject({ code: 0 });
    await writeFile(
      file,
      'apiVersion: sublet.dev/v1alpha1\nkind: Quota\nmetadata: {name: bob, namespace: t-zoe}\nspec: {hard: {vcpu: 12}}\n',
    );
    expect(await apply()).toMatchObject({
      code: 2,
      err: expect.stringContaining('metadata.namespace is t-zoe, but acme has the namespace t-acme'),
    });
    await writeFile(file, 'kind: Quota\nspec: {hard: {vcpu: yes}}\n');
    expect(await apply()).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file}:2: AmbiguousYaml: "yes" without quotes`),
    });
    const stdin =
      'apiVersion: sublet.dev/v1alpha1\nkind: Plan\nmetadata: {name: x}\nspec: {title: X, offers: Tenant, currency: USD}\n';
    expect(await sublet(['quota', 'apply', '-f', '-'], { stdin })).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input:2: Schema: kind must be Quota here, is Plan'),
    });
  });

  it('changes members', async () => {
    expect(
      await sublet(['tenant', 'member', 'set', 'oidc:max', '--role', 'Developer', '--wait', 'Applied']),
    ).toMatchObject({ code: 0 });
    const { out } = await sublet(['tenant', 'member', 'remove', 'oidc:a/b c', '--dry-run']);
    expect(JSON.parse(out)).toEqual({ method: 'DELETE', path: '/v1/tenants/acme--bob/members/User/oidc%3Aa%2Fb%20c' });
    expect(await sublet(['tenant', 'member', 'remove', 'oidc:nobody'])).toMatchObject({ code: 1 });
  });
});

describe('connecting', () => {
  it('writes the file once, for its owner alone', async () => {
    const connect = (...args: readonly string[]) => sublet(['desktop', 'connect', 'anna-desk', ...args]);
    const file = path.join(home, 'anna-desk.rdp');
    expect(await connect()).toEqual({ code: 0, out: '', err: `wrote ${file}\n` });
    expect(await readFile(file, 'utf8')).toContain('full address:s:198.51.100.7:3389\r\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await connect()).toMatchObject({
      code: 2,
      err: expect.stringContaining('is there already; --force writes over it'),
    });
    expect(await connect('--force')).toMatchObject({ code: 0 });
    expect((await connect('--file', '-')).out).toContain('username:s:anna\r\n');
    await symlink('/etc/shadow', path.join(home, 'link.rdp'));
    expect(await connect('--file', 'link.rdp')).toMatchObject({ code: 2 });
  });

  it('opens it with the program that is named', async () => {
    const program = path.join(home, 'client');
    const opened = path.join(home, 'opened');
    await writeFile(program, `#!/bin/sh\nprintf %s "$1" > ${opened}.part && mv ${opened}.part ${opened}\n`);
    await chmod(program, 0o755);
    expect(
      await sublet(['desktop', 'connect', 'anna-desk', '--open'], { env: { ...bob(), SUBLET_RDP_CLIENT: program } }),
    ).toMatchObject({ code: 0 });
    await expect.poll(() => readFile(opened, 'utf8').catch(() => '')).toBe(path.join(home, 'anna-desk.rdp'));
    const missing = await sublet(['desktop', 'connect', 'anna-desk', '--open', '--force'], {
      env: { ...bob(), SUBLET_RDP_CLIENT: '/nonexistent' },
    });
    expect(missing).toMatchObject({
      code: 1,
      err: expect.stringContaining('open '.concat(path.join(home, 'anna-desk.rdp'), ' with your RDP client')),
    });
  });

  it('says why there is nothing to connect to', async () => {
    const { code, err } = await sublet(['desktop', 'password', 'anna-desk']);
    expect([code, err]).toEqual([1, expect.stringContaining('anna-desk has no password yet')]);
  });
});

describe('keys', () => {
  it('are made, used, listed and revoked; the token is printed this once and alone', async () => {
    const made = await sublet(['key', 'new', 'ci', '--role', 'Viewer', '--days', '7']);
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^sublet_sk_[0-9a-f]{20}_[A-Za-z0-9_-]{43}\n$/);
    const key = made.out.trim();
    const id = key.split('_')[2] ?? '';
    const asKey = { env: { ...bob(), SUBLET_TOKEN: key } };
    expect(await sublet(['desktop', 'list', '-o', 'name'], asKey)).toMatchObject({ code: 0 });
    expect(await sublet(['desktop', 'stop', 'anna-desk'], asKey)).toMatchObject({
      code: 1,
      err: expect.stringContaining('your role does not let you'),
    });
    const { out } = await sublet(['key', 'list', '-o', 'json']);
    expect(out).toContain(id);
    expect(out).not.toContain(key);
    expect(await sublet(['key', 'revoke', id])).toEqual({ code: 0, out: '', err: `key ${id} is revoked\n` });
    const after = await sublet(['desktop', 'list'], asKey);
    expect(after).toMatchObject({
      code: 1,
      err: expect.stringContaining('set the token: sublet context set NAME --token-stdin'),
    });
    expect(after.err).not.toContain(key);
  });
});

describe('the audit', () => {
  it('says who did what by which commit', async () => {
    expect(await sublet(['desktop', 'start', 'anna-desk', '--wait', 'Applied'])).toMatchObject({ code: 0 });
    expect(await sublet(['desktop', 'stop', 'anna-desk', '--wait', 'Applied'])).toMatchObject({ code: 0 });
    const { code, out } = await sublet(['audit', '--limit', '1']);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^AT +WHO +WHAT +RESOURCE +STATE +COMMIT\n2026-01-01T\S+ +oidc:anna +Edit +RDPInstance\/anna-desk +(Applied|Ready) +cccccccccccc\n$/,
    );
    expect(JSON.parse((await sublet(['audit', '-o', 'json'])).out).items.length).toBeGreaterThan(1);
    const stranger = { env: { ...bob(), SUBLET_TOKEN: await running.tokenOf('eve') } };
    expect(await sublet(['audit'], stranger)).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is nothing here'),
    });
  });

  it('says what was done with a key, and from where', async () => {
    const key = (await sublet(['key', 'new', 'leaked', '--role', 'Developer'])).out.trim();
    const id = key.split('_')[2] ?? '';
    await sublet(['desktop', 'stop', 'anna-desk'], { env: { ...bob(), SUBLET_TOKEN: key } });
    await expect
      .poll(async () => (await sublet(['audit', '-o', 'wide'])).out.split('\n').filter((line) => line.includes(id)))
      .toEqual(
        expect.arrayContaining([
          expect.stringMatching(new RegExp(`oidc:anna [(]key ${id}[)] +Edit +RDPInstance/anna-desk `)),
          expect.stringMatching(
            new RegExp(`[(]key ${id}[)] +KeyUsed +Key/leaked +127[.]0[.]0[.]1 +2026-01-01T[^ ]+ +${id}`),
          ),
          expect.stringMatching(new RegExp(`oidc:anna +KeyMade +Key/leaked +${id}`)),
        ]),
      );
  });
});

describe('contexts', () => {
  const file = () => path.join(home, '.config', 'sublet', 'config.json');
  const alone = (args: readonly string[], options: RunOptions = {}) => sublet(args, { env: {}, ...options });

  it('keep server, tenant and token in a file for its owner alone, and never show the token', async () => {
    const set = await alone(
      ['context', 'set', 'work', '--server', running.url, '--tenant', 'acme--bob', '--token-stdin'],
      { stdin: `${token}\n` },
    );
    expect(set).toEqual({ code: 0, out: '', err: `wrote context work to ${file()}\n` });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const { out } = await alone(['context', 'list']);
    expect(out).toContain('stored');
    expect(out).not.toContain(token);
    expect((await alone(['context', 'list', '-o', 'json'])).out).toContain('"token": "stored"');
    expect(await alone(['desktop', 'list', '-o', 'name'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('desktop/anna-desk\n'),
    });
    await chmod(file(), 0o644);
    expect(await alone(['desktop', 'list'])).toMatchObject({
      code: 2,
      err: `sublet: ${file()} holds a token and others may read it (mode 644): chmod 600 ${file()}\n`,
    });
  });

  it('give a token to its own server only', async () => {
    await alone(['context', 'set', 'work', '--server', running.url, '--tenant', 'acme--bob', '--token-stdin'], {
      stdin: token,
    });
    const elsewhere = running.url.replace('127.0.0.1', 'localhost');
    const { code, err } = await alone(['desktop', 'list', '--server', elsewhere, '--tenant', 'acme--bob']);
    expect([code, err]).toEqual([1, expect.stringContaining('send Authorization: Bearer')]);
    await alone(['context', 'set', 'work', '--server', elsewhere]);
    expect((await alone(['context', 'list'])).out).toContain('none');
  });

  it('are chosen by name, replaced and removed', async () => {
    await alone(['context', 'set', 'a', '--server', 'https://a.example.com']);
    await alone(['context', 'set', 'b', '--server', 'https://b.example.com', '--tenant', '-']);
    expect((await alone(['context', 'use', 'b'])).code).toBe(0);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({
      current: 'b',
      contexts: { a: { server: 'https://a.example.com' }, b: { server: 'https://b.example.com', tenant: '-' } },
    });
    expect((await alone(['context', 'remove', 'b'])).code).toBe(0);
    expect(await alone(['context', 'use', 'b'])).toMatchObject({
      code: 2,
      err: 'sublet: there is no context "b"; there are a\n',
    });
    expect(await alone(['desktop', 'list', '--context', 'zz'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('there is no context "zz"; there are a'),
    });
  });

  it.each([
    [['context', 'set', 'new'], 'context new is new: name its server'],
    [['context', 'set', '../x', '--server', 'https://a.example.com'], "a context's name must be letters"],
    [['context', 'set', 'x', '--server', 'http://a.example.com'], 'would send the token in the clear; use https'],
    [
      ['context', 'set', 'x', '--server', 'https://a.example.com', '--tenant', 'A B'],
      '"A B" is no path of a tenant such as acme--bob',
    ],
    [['context', 'set', 'x', '--server', 'https://a.example.com', '--token-stdin'], 'standard input is empty'],
    [['desktop', 'list'], 'no server is named: sublet context set NAME'],
    [['desktop', 'list', '--server', 'https://127.0.0.1:1'], 'no tenant is named: --tenant acme--bob'],
    [['tenant', 'get', '-', '--server', 'https://127.0.0.1:1'], 'the provider is no Tenant'],
    [['change', 'get', 'I12', '--server', 'https://127.0.0.1:1'], 'A change is I and 40 hexadecimal digits.'],
    [
      ['desktop', 'list', '--server', 'https://127.0.0.1:1', '--token-file', 'nothing'],
      'there is no token file nothing',
    ],
  ])('%j exits 2', async (args, message) => {
    const { code, err } = await alone(args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('are refused when the file is not as it was written', async () => {
    await writeFile(path.join(home, 'c.json'), '{"contexts": {"a": {"server": 5}}}', { mode: 0o600 });
    expect(await alone(['context', 'list'], { env: { SUBLET_CONFIG: path.join(home, 'c.json') } })).toMatchObject({
      code: 2,
      err: expect.stringContaining('contexts.a.server'),
    });
  });
});

describe('a server that is not there', () => {
  it('makes exit code 3, and a write names the key that settles it', async () => {
    const env = { ...bob(), SUBLET_SERVER: 'http://127.0.0.1:9' };
    expect(await sublet(['desktop', 'list'], { env })).toMatchObject({
      code: 3,
      err: expect.stringContaining('http://127.0.0.1:9 gave no answer after 5 attempts'),
    });
    const { code, err } = await sublet(['desktop', 'stop', 'anna-desk', '--idempotency-key', 'k'], { env });
    expect([code, err]).toEqual([
      3,
      expect.stringContaining('it may have been accepted: repeat the command with --idempotency-key k'),
    ]);
  });
});
