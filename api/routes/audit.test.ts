import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openGitRepository } from '../../git/binary/repository.ts';
import { RepositoryError } from '../../git/repository.ts';
import { type GitRemoteHands, openHands } from '../../git/testing/gitremote.ts';
import { realClock } from '../../kube/clock.ts';
import { type CommitLog, createCommitLog } from '../commits.ts';
import { createTestApi, DATABASE_TIMEOUT_MS, desktop, ROOT_PLANS, type TestApi, user } from '../testing/testapi.ts';

const FOLDER = 'tenants/production';
const BOT = { name: 'Sublet', email: 'noreply@sublet.invalid' };
const CARLA = { name: 'Carla', email: 'carla@example.com' };

let folder: string;
let hands: GitRemoteHands;
let commits: CommitLog;
let api: TestApi;
/** Set to let the repository fail. */
let failure: Error | undefined;
/** Where the repository is. */
let remote: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-audit-'));
  remote = path.join(folder, 'fleet.git');
  hands = openHands(remote);
  await hands.git('init', '--quiet', '--bare', '--initial-branch=main', remote);
  const search = process.env.PATH ?? '/usr/bin:/bin';
  commits = createCommitLog({
    // Time enough goes by between any two looks for the repository to be fetched again.
    clock: { now: () => api.clock.now(), monotonic: () => realClock.monotonic() * 1_000_000 },
    locate: () => remote,
    open: async () => {
      const repository = openGitRepository(
        { url: `file://${remote}`, branch: 'main', protocols: ['file'] },
        { folder: await mkdtemp(path.join(folder, 'copy-')), path: search },
      );
      return {
        ...repository,
        fetch: () => (failure === undefined ? repository.fetch() : Promise.reject(failure)),
      };
    },
  });
  api = await createTestApi({ database: true, commits });
  for (const object of ROOT_PLANS) api.put(object);
  api.sell('acme', { type: 'Reseller', members: [user('anna', 'Owner')] });
  api.sell('other', { members: [user('otto', 'Owner')] });
  api.put(desktop('t-acme', 'desk'));
}, DATABASE_TIMEOUT_MS);

afterAll(async () => {
  await commits.close();
  await api.close();
  await rm(folder, { recursive: true, force: true });
});

type Entry = { readonly type: string; readonly who: string; readonly at: string; readonly [name: string]: unknown };

async function audit(tenant = 'acme', who = 'anna'): Promise<readonly Entry[]> {
  const answer = await api.as(who, { url: `/v1/tenants/${tenant}/audit` });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json().items;
}

function commit(files: Readonly<Record<string, string>>, message: string, atMs = api.clock.now()): Promise<string> {
  const all = new Map(
    Object.entries(files).map(([name, text]) => [name, { bytes: Buffer.from(text), mode: 'file' as const }]),
  );
  return hands.write('main', { author: CARLA, committer: BOT, atMs, message, files: all });
}

describe('audit of what went around the API', () => {
  it('shows commits that people made, of the own folder alone', async () => {
    const own = await commit({ [`${FOLDER}/t-acme/desk.yaml`]: 'a: 1\n' }, 'Give the desk a name\n\nBecause.\n');
    await commit({ [`${FOLDER}/t-other/x.yaml`]: 'a: 1\n', 'README.md': 'x\n' }, 'Nothing to do with acme\n');
    await api.clock.advance(60_000);
    const both = await commit(
      { [`${FOLDER}/t-acme/b.yaml`]: 'a: 1\n', [`${FOLDER}/t-other/y.yaml`]: 'a: 1\n' },
      'Move acme away from other\n',
    );
    expect((await audit()).filter(({ type }) => type === 'Commit')).toEqual([
      expect.objectContaining({ commit: both, who: 'Carla <carla@example.com>', files: ['b.yaml'] }),
      expect.objectContaining({ commit: own, subject: 'Give the desk a name', files: ['desk.yaml'] }),
    ]);
    expect(JSON.stringify(await audit())).not.toContain('other');
    expect(JSON.stringify(await audit('other', 'otto'))).not.toContain('desk.yaml');
  });

  it('shows a commit of the API once, as its change, and a commit that only claims to be one', async () => {
    const order = await api.as('anna', {
      method: 'POST',
      url: '/v1/tenants/acme/desktops',
      payload: { name: 'new-desk', spec: { plan: 'basic', image: 'ubuntu-24', username: 'anna' } },
    });
    const { id } = order.json();
    const made = await commit(
      { [`${FOLDER}/t-acme/new-desk.yaml`]: 'a: 1\n' },
      `Create new-desk\n\nChange-Id: ${id}\n`,
    );
    const lease = await api.journal.lease('fleet', 'a writer', 60_000);
    if (lease === undefined) throw new Error('the lease is taken');
    await api.journal.record(lease, new Map([[id, { state: 'Committed', commit: made }]]));
    const forged = await commit({ [`${FOLDER}/t-acme/new-desk.yaml`]: 'a: 2\n' }, `Mine\n\nChange-Id: ${id}\n`);
    const entries = await audit();
    expect(entries.filter((entry) => entry.commit === made)).toEqual([
      expect.objectContaining({ type: 'Change', change: id }),
    ]);
    expect(entries.filter((entry) => entry.commit === forged)).toEqual([expect.objectContaining({ type: 'Commit' })]);
  });

  it('asks the journal once, however many changes a commit claims to be of', async () => {
    const ids = Array.from({ length: 500 }, (_, i) => `Change-Id: I${i.toString(16).padStart(40, '0')}`);
    const made = await commit({ [`${FOLDER}/t-acme/claims.yaml`]: 'a: 1\n' }, `Claim\n\n${ids.join('\n')}\n`);
    const asked = [vi.spyOn(api.journal, 'commits'), vi.spyOn(api.journal, 'find')] as const;
    const entries = await audit();
    expect(asked.map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
    for (const spy of asked) spy.mockRestore();
    expect(entries.filter((entry) => entry.commit === made)).toEqual([expect.objectContaining({ type: 'Commit' })]);
  });

  it('shows what is in the repository that the fleet moved to, and not in the one that it left', async () => {
    const [left, stayed] = [remote, hands];
    const old = await commit({ [`${FOLDER}/t-acme/old.yaml`]: 'a: 1\n' }, 'Here\n');
    remote = path.join(folder, 'moved.git');
    hands = openHands(remote);
    await hands.git('init', '--quiet', '--bare', '--initial-branch=main', remote);
    const fresh = await commit({ [`${FOLDER}/t-acme/fresh.yaml`]: 'a: 1\n' }, 'There\n');
    const commitsOf = async () => (await audit()).flatMap(({ type, commit }) => (type === 'Commit' ? [commit] : []));
    expect(await commitsOf()).toEqual([fresh]);
    [remote, hands] = [left, stayed];
    expect((await commitsOf())[0]).toBe(old);
  });

  it('believes no date that lies before what it follows, or ahead', async () => {
    const past = await commit({ [`${FOLDER}/t-acme/past.yaml`]: 'a: 1\n' }, 'Long ago\n', 0);
    const ahead = await commit({ [`${FOLDER}/t-acme/ahead.yaml`]: 'a: 1\n' }, 'Not yet\n', api.clock.now() + 1e10);
    const now = new Date(api.clock.now()).toISOString();
    const entries = await audit();
    expect(entries.find((entry) => entry.commit === past)?.at.slice(0, 4)).toBe(now.slice(0, 4));
    expect((entries.find((entry) => entry.commit === ahead)?.at ?? '') <= now).toBe(true);
  });

  it('shows what programs wrote past Git, and not what Flux and Sublet write', async () => {
    const time = new Date(api.clock.now()).toISOString();
    const written = desktop('t-acme', 'desk');
    api.listed.push({
      ...written,
      metadata: {
        ...written.metadata,
        managedFields: [
          { manager: 'kustomize-controller', operation: 'Apply', time },
          { manager: 'sublet', operation: 'Apply', time },
          { manager: 'sublet-operator', operation: 'Update', time },
          { manager: 'sublet-status', operation: 'Apply', time, subresource: 'status' },
          { manager: 'kubectl-edit', operation: 'Update', time },
          { manager: 'curl', operation: 'Update', time, subresource: 'status' },
        ],
      },
    });
    const writes = (await audit()).filter(({ type }) => type === 'ClusterWrite');
    expect(writes.map(({ who, target }) => [who, target])).toEqual([
      ['kubectl-edit', { kind: 'RDPInstance', name: 'desk' }],
      ['curl', { kind: 'RDPInstance', name: 'desk/status' }],
    ]);
  });

  it('shows what programs wrote however many resources there are, and says so where there are too many', async () => {
    const time = new Date(api.clock.now()).toISOString();
    const before = api.listed.length;
    const putMany = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const one = desktop('t-acme', `many-${i}`);
        const managedFields = i === count - 1 ? [{ manager: 'vi', operation: 'Update' as const, time }] : [];
        api.listed.push({ ...one, metadata: { ...one.metadata, managedFields } });
      }
    };
    putMany(700);
    expect((await audit()).filter(({ who }) => who === 'vi')).toHaveLength(1);
    putMany(5_000);
    const { missing } = (await api.as('anna', { url: '/v1/tenants/acme/audit' })).json();
    api.listed.splice(before);
    expect(missing).toEqual(['cluster writes: of the first 5 000 resources of each kind only']);
  });

  it('gives every entry once, page by page', async () => {
    const whole = (await audit()).map((entry) => JSON.stringify(entry));
    const paged: string[] = [];
    let cursor = '';
    do {
      const answer = await api.as('anna', { url: `/v1/tenants/acme/audit?limit=1${cursor}` });
      paged.push(...answer.json().items.map((entry: unknown) => JSON.stringify(entry)));
      cursor = answer.json().next === undefined ? '' : `&cursor=${answer.json().next}`;
    } while (cursor !== '');
    expect(paged.sort()).toEqual(whole.sort());
    expect(whole.length).toBeGreaterThan(6);
  });

  it('says so when the repository does not answer', async () => {
    failure = new RepositoryError('Unreachable', 'the remote at 10.0.0.7 does not answer');
    const answer = await api.as('anna', { url: '/v1/tenants/acme/audit' });
    failure = undefined;
    expect(answer.json()).toMatchObject({ missing: ['commits: the repository does not answer'] });
    expect(answer.body).not.toContain('10.0.0.7');
    expect((await audit()).some(({ type }) => type === 'Commit')).toBe(true);
  });
});
