import { defineConfig } from 'vitest/config';
import { SkippedReporter } from './test/support/skipped.ts';

const NOT_OURS = ['**/node_modules/**', 'test/bench/contenders/**'];
const CLUSTER = ['**/*.cluster.test.ts', 'test/e2e/**/*.test.ts'];
const MINUTE_MS = 60_000;
/** File for a JSON report beside the one on the terminal. */
const outputFile = process.env.SUBLET_TEST_REPORT;
const REPORT: ['json', { outputFile: string }][] = outputFile === undefined ? [] : [['json', { outputFile }]];

export default defineConfig({
  test: {
    teardownTimeout: MINUTE_MS,
    reporters: ['default', ...REPORT, new SkippedReporter()],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...NOT_OURS, ...CLUSTER],
          pool: 'threads',
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
          expect: { poll: { timeout: MINUTE_MS } },
          globalSetup: ['./test/support/postgressetup.ts'],
        },
      },
      {
        // Real control planes: one file at a time, or they starve each other of memory and processor.
        test: {
          name: 'cluster',
          include: CLUSTER,
          exclude: NOT_OURS,
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 30 * MINUTE_MS,
          hookTimeout: 30 * MINUTE_MS,
          expect: { poll: { timeout: 5 * MINUTE_MS } },
          globalSetup: ['./test/support/globalsetup.ts', './test/support/postgressetup.ts'],
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
