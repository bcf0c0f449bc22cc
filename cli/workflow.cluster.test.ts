import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithGitea } from '../test/support/gitea.ts';
import { makeFleet, SMALL_FLEET, type TestFleet, yaml } from './testing/fleet.ts';
import { makeHome, makeWorkspace, readWorkflow, runSteps } from './testing/workflow.ts';

await describeWithGitea("the guide's workflow", (gitea) => {
  let fleet: TestFleet;
  let home = '';
  beforeAll(async () => {
    fleet = await makeFleet();
    home = await makeHome();
  });
  afterAll(async () => {
    await fleet.remove();
    await rm(home, { recursive: true, force: true });
  });

  it('comments on a pull request of a real Gitea', async () => {
    const token = await gitea().createUser('provider');
    await gitea().call(token, 'POST', '/user/repos', { name: 'fleet' });
    const remote = `${gitea().url.replace('://', `://provider:${token}@`)}/provider/fleet.git`;
    await fleet.write(SMALL_FLEET);
    await fleet.commit();
    await fleet.git('push', '--quiet', remote, 'HEAD:main');
    await fleet.git('switch', '--quiet', '--create', 'order');
    await fleet.write({
      't-acme--bob/second.yaml': yaml('RDPInstance', 'second', { plan: 'pro', image: 'ubuntu-24', username: 'bob' }),
    });
    await fleet.commit();
    await fleet.git('push', '--quiet', remote, 'HEAD:order');
    // Gitea notes a push after it has answered it, and knows no pull requests of what it still takes for an empty repository.
    await expect
      .poll(() => gitea().call(token, 'GET', '/repos/provider/fleet'), { timeout: 300_000 })
      .toMatchObject({ empty: false });
    const pull = { title: 'Order a desktop', head: 'order', base: 'main' };
    const { number } = (await gitea().call(token, 'POST', '/repos/provider/fleet/pulls', pull)) as {
      readonly number: number;
    };

    const { steps } = await readWorkflow('.gitea/workflows/fleet.yaml');
    const cwd = await makeWorkspace(home, remote, { branch: 'order', isMerged: false });
    const values = {
      'github.base_ref': 'main',
      'secrets.GITHUB_TOKEN': token,
      'github.api_url': `${gitea().url}/api/v1`,
      'github.repository': 'provider/fleet',
      'github.event.pull_request.number': String(number),
    };
    const ran = await runSteps(steps, { home, cwd }, values);
    expect([...ran].map(([name, { code, err }]) => [name, code, code === 0 ? '' : err])).toEqual([
      ['Lint', 0, ''],
      ['Diff', 0, ''],
      ['Comment', 0, ''],
    ]);
    const comments = await gitea().call(token, 'GET', `/repos/provider/fleet/issues/${number}/comments`);
    expect(comments).toMatchObject([
      { body: expect.stringContaining('| acme--bob | acme | Retail | USD | 84.00 | 123.00 | +39.00 |') },
    ]);
  });
});
