import { describe, expect, it } from 'vitest';
import { type Forge, ForgeError, type PullRequest } from '../forges/forge.ts';
import {
  BRANCH,
  createWriterWorld,
  editTitle,
  FOLDER,
  findLies,
  mortal,
  planObject,
  renderPlan,
  steady,
  target,
  type WriterWorld,
} from './testing/world.ts';

const FILES = { [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Pro') };

/** A forge in memory: pull requests by number, and what people do with them. */
function createForge(world: WriterWorld) {
  const pulls: { readonly branch: string; state: PullRequest['state'] }[] = [];
  const read = (number: number): PullRequest | undefined => {
    const pull = pulls[number - 1];
    return pull === undefined ? undefined : { ...pull, number, url: `https://git.example.com/pulls/${number}` };
  };
  const forge: Forge = {
    type: 'Gitea',
    open: async ({ branch }) => {
      if (world.remote.head(branch) === undefined) throw new Error(`there is no branch ${branch}`);
      const known = pulls.findIndex((pull) => pull.branch === branch);
      if (known < 0) pulls.push({ branch, state: 'Open' });
      const opened = read((known < 0 ? pulls.length - 1 : known) + 1);
      if (opened === undefined) throw new Error('nothing was opened');
      return opened;
    },
    find: async (branch) => read(pulls.findIndex((pull) => pull.branch === branch) + 1),
    read: async (number) => read(number),
    close: async (number) => {
      const pull = pulls[number - 1];
      if (pull?.state === 'Open') pull.state = 'Closed';
    },
  };
  /** Fast-forward, which is what a merge without commits in between is. */
  const merge = (number: number, how: 'merge' | 'squash' = 'merge', message?: string): void => {
    const pull = pulls[number - 1];
    const head = pull === undefined ? undefined : world.remote.head(pull.branch);
    const commit = head === undefined ? undefined : world.remote.objects.commit(head);
    if (pull === undefined || commit === undefined) throw new Error(`there is no pull request ${number}`);
    if (how === 'merge') world.remote.move(BRANCH, head);
    else {
      const files = [...commit.changes].map(([path]) => [path, world.remote.text(pull.branch, path) ?? null] as const);
      world.write(Object.fromEntries(files), message ?? `Squashed (#${number})\n\n* ${commit.message}`);
    }
    pull.state = 'Merged';
  };
  return { forge, pulls, merge };
}

describe('proposing', () => {
  it('opens a pull request from a branch of its own, and takes a merge or a squash for the commit', async () => {
    for (const how of ['merge', 'squash'] as const) {
      const world = createWriterWorld(FILES);
      const { forge, pulls, merge } = createForge(world);
      const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
      world.start(steady('one'), {}, { forge });
      await world.settle();
      expect(await world.state(id)).toMatchObject({
        state: 'Proposed',
        pullRequest: { number: 1, url: 'https://git.example.com/pulls/1' },
      });
      expect(world.file(`${FOLDER}/pro.yaml`)).toContain('title: Pro\n');
      expect(pulls).toMatchObject([{ branch: `sublet/${id}`, state: 'Open' }]);
      merge(1, how);
      await world.clock.advance(60_000);
      expect(await world.state(id)).toMatchObject({ state: 'Committed', commit: world.remote.head(BRANCH) });
      expect(await findLies(world, [id])).toEqual([]);
    }
  });

  it('begins a new file as a commit on the branch would', async () => {
    const world = createWriterWorld(FILES);
    const { forge } = createForge(world);
    const intent = { type: 'Create', target: target('new'), object: planObject('new', 'New') } as const;
    const id = await world.accept(intent, { mode: 'PullRequest' });
    const writer = world.start(steady('one'), {}, { forge, render: { schemaAddress: (kind) => `../${kind}.json` } });
    await world.settle();
    expect(world.remote.text(`sublet/${id}`, `${FOLDER}/plan-new.yaml`)).toBe(
      `# yaml-language-server: $schema=../Plan.json\n${renderPlan('new', 'New')}`,
    );
    await writer.stop();
  });

  it('tells Flux of what people merged', async () => {
    const world = createWriterWorld(FILES);
    const { forge, merge } = createForge(world);
    await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    const told: string[] = [];
    const afterPush = async (commit: string): Promise<void> => void told.push(commit);
    world.start(steady('one'), {}, { forge, afterPush });
    await world.settle();
    expect(told).toEqual([]);
    merge(1);
    await world.clock.advance(60_000);
    expect(told).toEqual([world.remote.head(BRANCH)]);
  });

  it('goes on when the forge does not show the repository for a while', async () => {
    const world = createWriterWorld(FILES);
    const { forge, merge } = createForge(world);
    let isSeen = true;
    const blind: Forge = {
      ...forge,
      read: async (number) => (isSeen ? forge.read(number) : undefined),
      find: async (branch, base) => {
        if (!isSeen) throw new ForgeError('NotFound', 'the forge answered 404');
        return forge.find(branch, base);
      },
    };
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge: blind });
    await world.settle();
    isSeen = false;
    await world.clock.advance(120_000);
    expect(await world.state(id)).toMatchObject({ state: 'Proposed' });
    isSeen = true;
    merge(1);
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Committed' });
  });

  it('ends with a pull request that is closed', async () => {
    const world = createWriterWorld(FILES);
    const { forge } = createForge(world);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge });
    await world.settle();
    await forge.close(1);
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Rejected', reason: 'ProposalClosed' });
  });

  it('knows a merge whose message was rewritten by what the branch says', async () => {
    const world = createWriterWorld(FILES);
    const { forge, merge } = createForge(world);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge });
    await world.settle();
    merge(1, 'squash', 'In my own words');
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Committed' });
  });

  it('is superseded by a later change of the same field, and closed', async () => {
    const world = createWriterWorld(FILES);
    const { forge, pulls } = createForge(world);
    const proposed = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge });
    await world.settle();
    const later = await world.accept(editTitle('pro', 'Pro', 'Three'));
    await world.settle();
    expect(await world.state(later)).toMatchObject({ state: 'Committed' });
    expect(await world.state(proposed)).toMatchObject({ state: 'Superseded', message: expect.stringContaining(later) });
    expect(pulls[0]).toMatchObject({ state: 'Closed' });
  });

  it('is a conflict once a person changed the field, and closed', async () => {
    const world = createWriterWorld(FILES);
    const { forge, pulls } = createForge(world);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge });
    await world.settle();
    world.write({ [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'By hand') });
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({
      state: 'Conflict',
      differences: [{ path: 'spec.title', found: 'By hand' }],
    });
    expect(pulls[0]).toMatchObject({ state: 'Closed' });
  });

  it('waits on while a person has made nonsense of its file, and is merged once that is mended', async () => {
    const world = createWriterWorld(FILES);
    const { forge, pulls, merge } = createForge(world);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge });
    await world.settle();
    world.write({ [`${FOLDER}/pro.yaml`]: 'kind: [\n' });
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Proposed' });
    expect(pulls[0]).toMatchObject({ state: 'Open' });
    // A new one for the same file is told at once.
    const next = await world.accept(editTitle('pro', 'Pro', 'Three'), { mode: 'PullRequest' });
    await world.settle();
    expect(await world.state(next)).toMatchObject({
      state: 'Rejected',
      reason: 'Unreadable',
      message: expect.stringMatching(/pro\.yaml:\d+: .*mend it first$/),
    });
    world.write({ [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Pro') });
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Proposed' });
    merge(1, 'squash');
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Committed' });
    expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Two'));
  });

  it('waits for a forge that does not answer, says so, and holds up nobody else', async () => {
    const world = createWriterWorld(FILES);
    const { forge, pulls } = createForge(world);
    let away = true;
    const open: Forge['open'] = async (...args) => {
      if (away) throw new Error('the forge does not answer');
      return forge.open(...args);
    };
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'), {}, { forge: { ...forge, open } });
    await world.clock.advance(120_000);
    expect(await world.state(id)).toMatchObject({ state: 'Accepted', message: 'the forge does not answer' });
    const direct = await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') });
    await world.clock.advance(500);
    expect(await world.state(direct)).toMatchObject({ state: 'Committed' });
    away = false;
    await world.settle();
    expect(await world.state(id)).toMatchObject({ state: 'Proposed' });
    expect(pulls).toHaveLength(1);
  });

  it('is a pushed branch where there is no forge, and committed when somebody merges it', async () => {
    const world = createWriterWorld(FILES);
    const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
    world.start(steady('one'));
    await world.settle();
    expect(await world.state(id)).toMatchObject({ state: 'Proposed', message: `merge the branch sublet/${id}` });
    world.remote.move(BRANCH, world.remote.head(`sublet/${id}`));
    await world.clock.advance(60_000);
    expect(await world.state(id)).toMatchObject({ state: 'Committed', commit: world.remote.head(BRANCH) });
  });

  it('opens one pull request, whenever its process is killed', async () => {
    for (let diesAt = 1; ; diesAt++) {
      const world = createWriterWorld(FILES);
      const { forge, pulls } = createForge(world);
      const id = await world.accept(editTitle('pro', 'Pro', 'Two'), { mode: 'PullRequest' });
      const process = mortal('one', diesAt);
      world.start(process, {}, { forge });
      await world.clock.advance(2_000);
      const survived = !process.isDead();
      world.start(steady('two'), {}, { forge });
      await world.settle();
      expect(pulls, `killed at ${diesAt}: ${process.points.at(-1)}`).toHaveLength(1);
      expect(await world.state(id)).toMatchObject({ state: 'Proposed', pullRequest: { number: 1 } });
      if (survived) break;
      expect(diesAt).toBeLessThan(60);
    }
  });
});
