import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GOES_WELL, type RunningApi, startApi } from '../cli/testing/api.ts';
import { RDPInstanceSpec } from '../crds/v1alpha1/rdpinstance.ts';
import { DESKTOPS } from './collections.ts';
import { ApiConfig } from './config.ts';
import { computeDeclared } from './overlay.ts';
import { readBlocks, runBash } from './testing/guide.ts';
import { desktop } from './testing/testapi.ts';

const GUIDE = path.join(import.meta.dirname, '..', 'docs', 'guides', 'api.md');
const TIMEOUT_MS = 300_000;

let guide = '';
let folder = '';
let running: RunningApi;

beforeAll(async () => {
  guide = await readFile(GUIDE, 'utf8');
  folder = await mkdtemp(path.join(tmpdir(), 'sublet-api-guide-'));
  running = await startApi();
  running.outcomes = GOES_WELL;
  running.api.journal.onChange(() => void carryOut(running.api));
}, TIMEOUT_MS);
afterAll(async () => {
  await running.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the guide to the API', () => {
  it(
    'has commands that work, in their order',
    async () => {
      const script = readBlocks(guide, 'bash').join('\n');
      const out = await runBash(script, folder, { API: running.url, TOKEN: await running.tokenOf('anna') });
      const lines = out.trim().split('\n');
      expect(lines).toContain('acme--bob ["Owner"]');
      expect(lines).toContain('Accepted');
      expect(lines).toContain('Ready');
      expect(lines).toContain('Delete');
      expect(lines).toContain('newcomer');
      expect(out).toContain('/spec/username: must not be an account');
      expect(await readFile(path.join(folder, 'anna-desk.rdp'), 'utf8')).toContain('full address:s:');
    },
    TIMEOUT_MS,
  );

  it('shows settings that are taken', () => {
    for (const block of readBlocks(guide, 'json')) expect(ApiConfig.safeParse(JSON.parse(block)).success).toBe(true);
    expect(readBlocks(guide, 'json')).toHaveLength(2);
  });
});

/** What Flux and the operator would do to desktops: what was applied is live. */
async function carryOut({ journal, caches, put }: RunningApi['api']): Promise<void> {
  for (const change of await journal.list({ namespaces: ['t-acme--bob'], states: ['Applied'], most: 100 })) {
    const { target } = change.intent;
    const live = caches.desktops.get(`${target.namespace}/${target.name}`);
    const declared = computeDeclared(DESKTOPS, target.name, live, [{ ...change, state: 'Committed' }]);
    if (declared !== undefined) put(desktop(target.namespace, target.name, RDPInstanceSpec.parse(declared.spec)));
  }
}
