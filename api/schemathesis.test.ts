import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { UnavailableError } from '../test/cluster/binaries.ts';
import { describeWithProgram } from '../test/support/program.ts';
import { createTestApi, desktop, plan, ROOT_PLANS, user } from './testing/testapi.ts';

const run = promisify(execFile);

const VERSION = '4.32.5';
const EXAMPLES = 3;
const SEED = 1;
/** A quiet machine takes a tenth of it. */
const RUN_TIMEOUT_MS = 600_000;
/** Requests that wait for something have to end: the API's own clock runs faster than ours. */
const TICK_MS = 250;
const MINUTE_MS = 60_000;
const MOST_SHOWN = 20_000;

/** What is larger than any request may be is refused for that, and not for its form. */
const SETTINGS = `[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 422, 428, 429, 431]
`;

/** One who asks what is well formed and not there, or against a rule between fields, is refused rightly: the schema does not say it. */
const NOT_A_BREACH = 'positive_data_acceptance';

await describeWithProgram(
  'schemathesis, which asks the running API whatever its description allows and forbids',
  { what: 'schemathesis', obtain: requireSchemathesis, start: serve },
  (running) => {
    it(
      'gets no answer of ours that is a 5xx, and none that the description does not have',
      async () => {
        const { url, token } = running();
        const folder = await mkdtemp(path.join(tmpdir(), 'sublet-schemathesis-'));
        try {
          // Where it looks for its settings.
          await writeFile(path.join(folder, 'schemathesis.toml'), SETTINGS);
          const args = ['--no-color', 'run', `${url}/openapi.json`, '--url', url];
          args.push('-H', `Authorization: Bearer ${token}`, '--phases', 'coverage,fuzzing');
          args.push('--checks', 'all', '--exclude-checks', NOT_A_BREACH, '--warnings', 'off');
          args.push('--max-examples', String(EXAMPLES), '--seed', String(SEED), '--no-shrink');
          const { code, output } = await schemathesis(args, folder);
          expect(code, output.slice(0, MOST_SHOWN)).toBe(0);
          expect(output).toMatch(/Tested: +\d{2,}\b/);
        } finally {
          await rm(folder, { recursive: true, force: true });
        }
      },
      RUN_TIMEOUT_MS,
    );
  },
);

async function requireSchemathesis(): Promise<void> {
  try {
    await run('schemathesis', ['--version']);
  } catch (cause) {
    throw new UnavailableError(`it is not on the PATH: pip install schemathesis==${VERSION}`, { cause });
  }
}

/** It ends with 1 where it found something, and says what on standard output. */
async function schemathesis(
  args: readonly string[],
  cwd: string,
): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const options = { cwd, timeout: RUN_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile('schemathesis', args, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, output: stdout + stderr }),
    );
  });
}

type Served = { readonly url: string; readonly token: string; stop(): Promise<void> };

/** The API over a reseller and its customer, and one who may do everything in both and is not slowed down. */
async function serve(): Promise<Served> {
  const api = await createTestApi({ database: true });
  for (const object of ROOT_PLANS) api.put(object);
  const requests = { perMinute: 100_000, perHour: 1_000_000 };
  api.put(plan('sublet-root', 'fast', { offers: 'Tenant', requests }));
  const members = [user('anna', 'Owner')];
  api.sell('acme', { type: 'Reseller', plan: 'fast', members });
  api.put(plan('t-acme', 'pro', { basedOn: 'basic' }));
  api.put(plan('t-acme', 'team', { offers: 'Tenant' }));
  api.put(desktop('t-acme', 'desk', {}, { address: '198.51.100.7', port: 3_389 }));
  api.sell('acme--bob', { plan: 'team', members });
  const exp = Math.floor(api.clock.now() / 1_000) + 365 * 86_400;
  const token = await api.issuer.sign({ sub: 'anna', groups: [], exp });
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const timer = setInterval(() => void api.clock.advance(MINUTE_MS), TICK_MS);
  const stop = async (): Promise<void> => {
    clearInterval(timer);
    await api.close();
  };
  return { url, token, stop };
}
