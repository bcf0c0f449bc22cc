import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openGitRepository } from '../../git/binary/repository.ts';
import type { CommitId, Repository } from '../../git/repository.ts';
import { describeWithGitea } from '../../test/support/gitea.ts';
import { indexChanges, parseTrailers, renderMessage } from '../message.ts';
import type { Forge } from './forge.ts';
import { createGiteaForge } from './gitea.ts';

const SUBLET = { name: 'Sublet', email: 'sublet@example.com' };

await describeWithGitea('the forge Gitea', (gitea) => {
  let folder: string;
  let token: string;
  let forge: Forge;
  let repository: Repository;
  let base: CommitId;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-forge-'));
    token = await gitea().createUser('acme');
    await gitea().call(token, 'POST', '/user/repos', {
      name: 'fleet',
      private: true,
      auto_init: true,
      default_branch: 'main',
    });
    forge = createGiteaForge(
      { url: gitea().url, owner: 'acme', repository: 'fleet' },
      { fetch, token: async () => token, now: Date.now },
    );
    repository = openAs(token);
    base = (await repository.fetch()) ?? '';
  });
  afterAll(async () => {
    await repository?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  const openAs = (password: string): Repository =>
    openGitRepository(
      { url: `${gitea().url}/acme/fleet.git`, branch: 'main', protocols: ['http'] },
      {
        folder: path.join(folder, 'copies'),
        path: process.env.PATH ?? '',
        credentials: async () => ({ type: 'Basic', username: 'acme', password }),
      },
    );

  /** Commits to a branch of its own, and opens a pull request for it. */
  const propose = async (digit: string) => {
    const changeId = `I${digit.repeat(40)}`;
    const branch = `sublet/${changeId}`;
    const message = renderMessage({ subject: `Change ${digit}`, changeId, requestedBy: 'oidc:anna', requestId: digit });
    const files = new Map([[`tenants/production/t-acme/${digit}.yaml`, `a: ${digit}\n`]]);
    const [commit = ''] = await repository.commit(base, [
      { author: SUBLET, committer: SUBLET, atMs: Date.now(), message, files },
    ]);
    expect(await repository.push(commit, undefined, { branch })).toEqual({ type: 'pushed' });
    const pull = await forge.open({ branch, base: 'main', title: `Change ${digit}`, body: message });
    return { changeId, branch, commit, pull, message };
  };
  /** Gitea looks at mergeability in the background, and answers 405 until it has. */
  const merge = async (number: number, how: 'merge' | 'squash', message: string): Promise<void> => {
    await expect
      .poll(
        async () => {
          const body = { Do: how, MergeMessageField: message };
          return gitea()
            .call(token, 'POST', `/repos/acme/fleet/pulls/${number}/merge`, body)
            .then(() => 'merged', String);
        },
        { timeout: 300_000, interval: 500 },
      )
      .toBe('merged');
  };

  it('opens a pull request once, and finds it', async () => {
    const { branch, pull } = await propose('1');
    expect(pull).toMatchObject({ branch, state: 'Open', url: `${gitea().url}/acme/fleet/pulls/${pull.number}` });
    expect(await forge.open({ branch, base: 'main', title: 'Again', body: '' })).toEqual(pull);
    expect(await forge.find(branch, 'main')).toEqual(pull);
    expect(await forge.read(pull.number)).toEqual(pull);
    expect(await forge.find('sublet/none', 'main')).toBeUndefined();
    expect(await forge.read(9999)).toBeUndefined();
  });

  it('sees a merge by a merge commit, which contains the change', async () => {
    const { changeId, commit, pull } = await propose('2');
    await merge(pull.number, 'merge', 'Merge it');
    const merged = await forge.read(pull.number);
    expect(merged).toMatchObject({ state: 'Merged', mergeCommit: expect.stringMatching(/^[0-9a-f]{40}$/) });
    const head = (await repository.fetch()) ?? '';
    expect(await repository.isAncestor(commit, head)).toBe(true);
    expect(await repository.isAncestor(merged?.mergeCommit ?? '', head)).toBe(true);
    expect(indexChanges(await repository.log(head)).get(changeId)).toBe(commit);
    await forge.close(pull.number);
    expect(await forge.read(pull.number)).toMatchObject({ state: 'Merged' });
  });

  it('sees a merge by a squash, whose commit names the change', async () => {
    const { changeId, commit, pull, message } = await propose('3');
    await merge(pull.number, 'squash', message.slice(message.indexOf('\n\n') + 2));
    const merged = await forge.read(pull.number);
    expect(merged).toMatchObject({ state: 'Merged' });
    const head = (await repository.fetch()) ?? '';
    expect(await repository.isAncestor(commit, head)).toBe(false);
    const log = await repository.log(head, { since: base });
    expect(indexChanges(log).get(changeId)).toBe(merged?.mergeCommit);
    const squashed = log.find((entry) => entry.commit === merged?.mergeCommit);
    expect(parseTrailers(squashed?.message ?? '')).toMatchObject({ changeId, requestedBy: 'oidc:anna' });
    expect(squashed?.paths).toEqual(['tenants/production/t-acme/3.yaml']);
  });

  it('closes one that nobody merged', async () => {
    const { pull, branch } = await propose('4');
    await forge.close(pull.number);
    await forge.close(pull.number);
    expect(await forge.read(pull.number)).toMatchObject({ state: 'Closed', branch });
    await forge.close(9999);
    const again = await forge.open({ branch, base: 'main', title: 'Once more', body: '' });
    expect(again.number).toBeGreaterThan(pull.number);
    expect(await forge.find(branch, 'main')).toEqual(again);
  });

  it('refuses a push that is not onto what is there, and strangers', async () => {
    const head = await repository.fetch();
    const files = new Map([['x', 'y']]);
    const [commit = ''] = await repository.commit(base, [
      { author: SUBLET, committer: SUBLET, atMs: 0, message: 'x', files },
    ]);
    expect(head).not.toBe(base);
    expect(await repository.push(commit, base)).toMatchObject({ type: 'rejected', stale: true });
    const stranger = openAs('wrong');
    try {
      await expect(stranger.fetch()).rejects.toMatchObject({ failure: 'Denied' });
    } finally {
      await stranger.close();
    }
    const denied = createGiteaForge(
      { url: gitea().url, owner: 'acme', repository: 'fleet' },
      { fetch, token: async () => 'wrong', now: Date.now },
    );
    await expect(denied.read(1)).rejects.toMatchObject({ failure: 'Denied' });
  });

  it('refuses a push to a protected branch, and says so', async () => {
    await gitea().call(token, 'POST', '/repos/acme/fleet/branch_protections', {
      rule_name: 'main',
      enable_push: false,
    });
    const head = (await repository.fetch()) ?? '';
    const files = new Map([['x', 'z']]);
    const [commit = ''] = await repository.commit(head, [
      { author: SUBLET, committer: SUBLET, atMs: 0, message: 'x', files },
    ]);
    expect(await repository.push(commit, head)).toMatchObject({ type: 'rejected', stale: false });
  });
});
