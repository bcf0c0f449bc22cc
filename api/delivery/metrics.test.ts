import { describe, expect, it } from 'vitest';
import type { PushResult, Repository } from '../../git/repository.ts';
import type { NewChange } from '../../gitops/journal.ts';
import { createMemoryJournal } from '../../gitops/writer/journal/memory.ts';
import { createMetrics } from '../../kube/metrics.ts';
import { createFakeClock } from '../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../kube/testing/testlog.ts';
import { measureJournal, measureRepository, showBacklog } from './metrics.ts';

const make = (digit: string): NewChange => ({
  id: `I${digit.repeat(40)}`,
  repository: 'fleet',
  intent: { type: 'Delete', target: { kind: 'Plan', namespace: 't-acme', name: 'pro' } },
  mode: 'Commit',
  author: { subject: 'oidc:anna', name: 'Anna', email: 'anna@example.com' },
  requestId: digit,
});
const linesOf = (text: string, name: string): readonly string[] =>
  text.split('\n').filter((line) => line.startsWith(name));

describe('metrics of delivery', () => {
  it('count changes by the state that they were brought to, and each once', async () => {
    const metrics = createMetrics();
    const journal = measureJournal(createMemoryJournal({ clock: createFakeClock() }), metrics);
    const [one, two] = [make('1'), make('2')];
    for (const change of [one, two, two]) await journal.accept(change);
    const lease = await journal.lease('fleet', 'me', 1_000);
    if (lease === undefined) throw new Error('nobody else has the lease');
    const commit = 'a'.repeat(40);
    await journal.record(
      lease,
      new Map([
        [one.id, { state: 'Committed', commit }],
        [two.id, { state: 'Conflict' }],
      ]),
    );
    const move = { from: 'Committed', outcome: { state: 'Applied' } } as const;
    await journal.advance(new Map([[one.id, move]]));
    await journal.advance(new Map([[one.id, move]]));
    await expect(journal.record({ ...lease, epoch: 7n }, new Map([[one.id, { state: 'Ready' }]]))).rejects.toThrow();
    expect(linesOf(metrics.render(), 'sublet_changes_moved_total')).toEqual([
      'sublet_changes_moved_total{state="Accepted"} 2',
      'sublet_changes_moved_total{state="Committed"} 1',
      'sublet_changes_moved_total{state="Conflict"} 1',
      'sublet_changes_moved_total{state="Applied"} 1',
    ]);
    expect(await journal.find(one.id)).toMatchObject({ state: 'Applied' });
  });

  it('count and time pushes by what came of them', async () => {
    const metrics = createMetrics();
    const clock = createFakeClock();
    const answers: (PushResult | Error)[] = [
      { type: 'pushed' },
      { type: 'rejected', stale: true, why: '' },
      { type: 'rejected', stale: false, why: '' },
      { type: 'unknown', why: '' },
      new Error('no git'),
    ];
    const push = async (): Promise<PushResult> => {
      await clock.advance(2_000);
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer;
      return answer;
    };
    const repository = measureRepository({ push } as unknown as Repository, clock, metrics);
    for (let left = answers.length; left > 0; left--) await repository.push('a', 'b').catch(() => {});
    const text = metrics.render();
    expect(linesOf(text, 'sublet_git_pushes_total')).toEqual(
      ['pushed', 'stale', 'rejected', 'unknown', 'failed'].map(
        (result) => `sublet_git_pushes_total{result="${result}"} 1`,
      ),
    );
    expect(text).toContain('sublet_git_push_duration_seconds_bucket{le="1"} 0\n');
    expect(text).toContain('sublet_git_push_duration_seconds_bucket{le="2.5"} 5\n');
  });

  it('show what is on its way, and how long the oldest has been', async () => {
    const metrics = createMetrics();
    const clock = createFakeClock();
    const journal = createMemoryJournal({ clock });
    const stop = showBacklog({ journal, clock, log: createTestLog().log, metrics });
    await journal.accept(make('1'));
    await clock.advance(10_000);
    await journal.accept(make('2'));
    await clock.advance(10_000);
    const seen = () => linesOf(metrics.render(), 'sublet_changes_open').filter((line) => line.includes('Accepted'));
    expect(seen()).toEqual([
      'sublet_changes_open{state="Accepted"} 2',
      'sublet_changes_open_oldest_age_seconds{state="Accepted"} 20',
    ]);
    await stop();
    await clock.advance(60_000);
    expect(linesOf(metrics.render(), 'sublet_changes_open{state="Held"}')).toEqual([
      'sublet_changes_open{state="Held"} 0',
    ]);
  });
});
