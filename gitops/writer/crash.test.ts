import { describe, expect, it } from 'vitest';
import { createFakeRandom } from '../../kube/testing/fakeclock.ts';
import {
  createWriterWorld,
  editTitle,
  FOLDER,
  findLies,
  mortal,
  type Process,
  planObject,
  renderPlan,
  slow,
  steady,
  target,
  type WriterWorld,
} from './testing/world.ts';

/**
 * Two edits of one file, a new plan, a removal, a conflict, one that is there already, and a title that goes there and back again, which would do so twice if
 * it were not known to have been done.
 */
async function order(world: WriterWorld): Promise<readonly string[]> {
  return [
    await world.accept(editTitle('pro', 'Pro', 'Pro 2')),
    await world.accept({
      type: 'Edit',
      target: target('pro'),
      edits: [{ path: ['spec', 'currency'], from: 'USD', to: 'EUR' }],
    }),
    await world.accept({ type: 'Create', target: target('new'), object: planObject('new', 'New') }),
    await world.accept({ type: 'Delete', target: target('old') }),
    await world.accept(editTitle('pro', 'Something else', 'Never')),
    await world.accept(editTitle('same', 'Before', 'Same')),
    await world.accept(editTitle('flip', 'Heads', 'Tails')),
    await world.accept(editTitle('flip', 'Tails', 'Heads')),
  ];
}

const FILES = {
  [`${FOLDER}/pro.yaml`]: renderPlan('pro', 'Pro'),
  [`${FOLDER}/old.yaml`]: renderPlan('old', 'Old'),
  [`${FOLDER}/same.yaml`]: renderPlan('same', 'Same'),
  [`${FOLDER}/flip.yaml`]: renderPlan('flip', 'Heads'),
};

async function expectAllDone(world: WriterWorld, ids: readonly string[]): Promise<void> {
  expect(await findLies(world, ids)).toEqual([]);
  const states = await Promise.all(ids.map((id) => world.state(id)));
  expect(states.map(({ state, reason }) => reason ?? state)).toEqual([
    ...Array(4).fill('Committed'),
    'ChangedMeanwhile',
    'Unchanged',
    ...Array(2).fill('Committed'),
  ]);
  expect(world.file(`${FOLDER}/pro.yaml`)).toBe(renderPlan('pro', 'Pro 2', 'EUR'));
  expect(world.file(`${FOLDER}/old.yaml`)).toBeUndefined();
  expect(world.file(`${FOLDER}/plan-new.yaml`)).toContain('title: New');
}

/** How many points a run has that nothing happens to. */
async function countPoints(disturb: (world: WriterWorld) => void, most: number): Promise<readonly string[]> {
  const world = createWriterWorld(FILES);
  disturb(world);
  const ids = await order(world);
  const process = mortal('one');
  world.start(process, { most });
  await world.settle();
  await expectAllDone(world, ids);
  return process.points;
}

describe('a writer that is killed', () => {
  const disturbances: readonly (readonly [string, (world: WriterWorld) => void])[] = [
    ['in a quiet world', () => {}],
    ['after a push whose answer got lost', (world) => world.remote.fail({ call: 'push', type: 'lost' })],
    ['after a push that never arrived', (world) => world.remote.fail({ call: 'push', type: 'dropped' })],
    [
      'after somebody else was faster',
      (world) =>
        world.remote.fail({
          call: 'push',
          type: 'race',
          commit: {
            author: { name: 'Pat', email: 'p@example.com' },
            committer: { name: 'Pat', email: 'p@example.com' },
            atMs: 0,
            message: 'Add a note',
            files: new Map([['NOTE.md', 'hello\n']]),
          },
        }),
    ],
  ];

  // All in one push, and two a push, where the next is made while one is on its way.
  const cases = disturbances.flatMap(([name, disturb]) => [10_000, 2].map((most) => [name, most, disturb] as const));

  it.each(cases)(
    '%s, with %i changes a push, at any call makes no commit twice and loses none',
    async (_, most, disturb) => {
      const points = await countPoints(disturb, most);
      expect(points.length).toBeGreaterThan(15);
      for (let diesAt = 1; diesAt <= points.length; diesAt++) {
        const world = createWriterWorld(FILES);
        disturb(world);
        const ids = await order(world);
        const process = mortal('one', diesAt);
        world.start(process, { most });
        await world.clock.advance(2_000);
        expect(process.isDead(), `${diesAt}: ${points[diesAt - 1]}`).toBe(true);
        // The journal tells no lie at the moment of death either, but that it may not know yet of the last push.
        const lies = await findLies(world, ids);
        expect(lies, `${diesAt}: ${points[diesAt - 1]}`).toEqual([]);
        world.start(steady('two'), { most });
        await world.settle();
        await expectAllDone(world, ids);
      }
    },
  );

  it('and whose successors are killed too, one after the other, gets there all the same', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = createFakeRandom(seed);
      const world = createWriterWorld(FILES);
      const ids = await order(world);
      for (let life = 0; life < 4; life++) {
        world.start(mortal(`life-${life}`, 1 + Math.floor(random.next() * 25)), { most: 1 + (seed % 3) });
        await world.clock.advance(20_000);
        expect(await findLies(world, ids), `seed ${seed}`).toEqual([]);
      }
      world.start(steady('last'));
      await world.settle();
      await expectAllDone(world, ids);
    }
  });
});

describe('two writers at once', () => {
  it('whose leases run out in the middle of everything make no commit twice and lose none', async () => {
    let contended = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const random = createFakeRandom(seed);
      const world = createWriterWorld(FILES);
      const options = { usuallyMs: 20, rarelyMs: 2_000 };
      const processes: readonly Process[] = ['one', 'two', 'three'].map((name) =>
        slow(name, world.clock, random, options),
      );
      // Leases so short that they run out during most calls.
      const writers = processes.map((process) =>
        world.start(process, { leaseMs: 60, pollMs: 200, reviewMs: 1_000, most: 1 + (seed % 4) }),
      );
      const ids: string[] = [];
      const last = new Map<string, string>();
      for (let round = 0; round < 12; round++) {
        const name = `plan-${round % 3}`;
        const before = last.get(name);
        const title = `Title ${round}`;
        ids.push(
          await world.accept(
            before === undefined
              ? { type: 'Create', target: target(name), object: planObject(name, title) }
              : editTitle(name, before, title),
          ),
        );
        last.set(name, title);
        if (random.next() < 0.2) world.write({ [`notes/${round}.md`]: `${round}\n` });
        await world.clock.advance(random.next() * 300);
      }
      await world.settle();
      expect(await findLies(world, ids), `seed ${seed}`).toEqual([]);
      for (const id of ids) expect((await world.state(id)).state, `seed ${seed}`).toBe('Committed');
      for (const [name, title] of last)
        expect(world.file(`${FOLDER}/plan-${name}.yaml`)).toContain(`title: ${title}\n`);
      contended += (await world.history()).length;
      for (const writer of writers) void writer.stop();
      await world.clock.advance(5_000);
    }
    expect(contended).toBeGreaterThan(40 * 12);
  });
});
