import { describe, expect, it } from 'vitest';
import { CLASSES } from './classes/index.ts';
import { type Finding, renderCommand } from './point.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { type ClassResult, type SweepOptions, sweep } from './sweep.ts';

const SEED = 1;
const MINUTES = 60_000;
/** Scenarios of the crash sweep, and points of each: at least one write at three moments. */
const LEAST_SCENARIOS = 15;
/** One point in so many of the classes that have thousands; `npm run faults` tries all of them. */
const SAMPLE = 60;

describe('the fault sweep', () => {
  it('kills the operator at every write of every scenario', { timeout: 60 * MINUTES }, async () => {
    const [told, crash] = await run({ classes: ['told', 'crash'], every: 1 });
    expect(told?.points).toBe(SCENARIOS.length);
    expect(SCENARIOS.length).toBeGreaterThanOrEqual(LEAST_SCENARIOS);
    expect(crash?.points).toBeGreaterThan(3 * 10 * LEAST_SCENARIOS);
  });

  it('tries a sample of the other classes', { timeout: 60 * MINUTES }, async () => {
    const whole = ['told', 'crash'];
    const classes = CLASSES.map(({ name }) => name).filter((name) => !whole.includes(name));
    const results = await run({ classes, every: SAMPLE });
    expect(results.map((result) => result.class)).toEqual(classes);
    for (const { class: name, points } of results) expect([name, points > 0]).toEqual([name, true]);
  });
});

/** Fails with the command of each finding. */
async function run(options: Omit<SweepOptions, 'seed'>): Promise<readonly ClassResult[]> {
  const results = await sweep({ ...options, seed: SEED });
  const findings = results.flatMap((result) => result.findings);
  expect(findings.map(renderFinding)).toEqual([]);
  return results;
}

function renderFinding({ point, texts }: Finding): string {
  return `${renderCommand(point)}\n${texts.join('\n')}`;
}
