import { expect, it } from 'vitest';
import { describeWithPostgres } from '../support/postgres.ts';
import { runTorture } from '../support/torture/torture.ts';

const MINUTE_MS = 60_000;

/** As the acceptance has it, or a tenth: `SUBLET_TORTURE=full`. */
const SIZE =
  process.env.SUBLET_TORTURE === 'full'
    ? { writes: 10_000, clients: 200, objects: 2_000, repositories: 20, leastKills: 20 }
    : { writes: 400, clients: 40, objects: 200, repositories: 4, leastKills: 4 };

await describeWithPostgres('many clients writing while the writers are killed', (databaseUrl) => {
  it(
    `lose no update of ${SIZE.writes}, commit none twice, and all come to an end`,
    async () => {
      const seed = Number(process.env.SUBLET_TORTURE_SEED ?? '1');
      const report = await runTorture({
        ...SIZE,
        seed,
        databaseUrl: databaseUrl(),
        log: (line) => process.stderr.write(`${line}\n`),
      });
      const { unfinished, duplicates, lost, ...figures } = report;
      process.stderr.write(`${JSON.stringify(figures)}\n`);
      expect({ unfinished, duplicates, lost }).toEqual({ unfinished: [], duplicates: [], lost: [] });
      expect(report.accepted).toBe(SIZE.writes);
      expect(report.kills).toBeGreaterThanOrEqual(SIZE.leastKills);
      expect(report.conflicts).toBeGreaterThan(0);
    },
    60 * MINUTE_MS,
  );
});
