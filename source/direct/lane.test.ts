import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGitReader } from '../../git/binary/reader.ts';
import { type GitRemoteHands, openHands } from '../../git/testing/gitremote.ts';
import type { Client } from '../../kube/client.ts';
import { realClock } from '../../kube/clock.ts';
import { type GitServer, startGitServer } from '../../simulator/git/server.ts';
import { SourceConfig } from '../config.ts';
import type { GitRepository } from '../externalartifact.ts';
import { createHeadReader, type Head } from '../head.ts';
import { wireDirect } from './wire.ts';

vi.setConfig({ testTimeout: 200_000, hookTimeout: 120_000 });

const ANNA = { name: 'Anna', email: 'anna@example.com' };
const DESK = 'tenants/production/t-a/desk.yaml';
const signal = new AbortController().signal;

type Secret = Readonly<Record<string, string>>;

type EyeOptions = { readonly secrets?: ReadonlyMap<string, Secret>; readonly patience?: number };

/** A fleet source's eye on one repository. The clock is real but for what `later` adds, and that it waits longer for a fetch, as this machine may be busy. */
function openEye(directory: string, { secrets = new Map(), patience = 30 }: EyeOptions = {}) {
  let aheadMs = 0;
  const lines: string[] = [];
  const results: string[] = [];
  const clock = {
    ...realClock,
    monotonic: () => realClock.monotonic() + aheadMs,
    setTimeout: (fn: () => void, ms: number) => realClock.setTimeout(fn, ms * patience),
  };
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  const client = {
    get: async (_resource: unknown, { name }: { readonly name: string }) => {
      const data = secrets.get(name);
      if (data === undefined) throw new Error(`secrets "${name}" not found`);
      return {
        data: Object.fromEntries(
          Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
        ),
      };
    },
  } as unknown as Client;
  const wake = vi.fn();
  const direct = wireDirect(
    {
      client,
      clock,
      log,
      wake,
      sourceMetrics: { countFetch: (result) => void results.push(result) },
      isNamespace: (name) => name.startsWith('t-'),
      git: { open: openGitReader, path: process.env.PATH ?? '' },
    },
    SourceConfig.parse({ environment: 'production', directory, fetchTimeoutMs: 30_000 }),
  );
  // What source-controller fetched, by its digest: none of these tests looks inside.
  const artifacts = { load: async () => ({ ok: true, split: { folders: new Map(), strays: [] } }) as const };
  const reader = createHeadReader({ clock, log, artifacts, direct }, 'production');
  const observe = async (repository: GitRepository): Promise<Head | undefined> =>
    (await reader.observe(repository, signal)).head;
  const later = (ms: number): void => {
    aheadMs += ms;
  };
  return { observe, reader, later, lines, results, wake, stop: direct.lane.stop };
}

describe('the fleet source fetches', () => {
  let folder = '';
  let server: GitServer;
  let url = '';
  let hands: GitRemoteHands;
  let eye: ReturnType<typeof openEye>;
  let asked = 0;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sublet-direct-'));
    server = await startGitServer(join(folder, 'remotes'));
    const remote = await server.remote('fleet');
    url = remote.url;
    hands = openHands(remote.path);
    eye = openEye(join(folder, 'volume'));
  });
  afterEach(async () => {
    await eye.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const write = (text: string, files: readonly (readonly [string, string])[] = [[DESK, text]]) =>
    hands.write('main', {
      author: ANNA,
      committer: ANNA,
      atMs: Date.UTC(2026, 10, 26),
      message: `${text}\n`,
      files: new Map(files),
    });
  const revisionOf = (commit: string): string => `main@sha1:${commit}`;
  const textOf = (head: Head | undefined): string | undefined => {
    if (head === undefined || !head.tree.ok) return undefined;
    const bytes = head.tree.split.folders.get('t-a')?.files[0]?.bytes;
    return bytes && Buffer.from(bytes).toString('utf8');
  };
  /** As somebody who pushed asks for a look; `artifact` is the commit that source-controller has. */
  const repositoryWith = (
    artifact: string | undefined,
    spec: Readonly<Record<string, unknown>> = {},
  ): GitRepository => {
    asked += 1;
    return {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: {
        name: 'fleet',
        namespace: 'sublet-fleet',
        generation: 1,
        annotations: { 'reconcile.fluxcd.io/requestedAt': String(asked) },
      },
      spec: { url, ref: { branch: 'main' }, interval: '1m', ...spec },
      status:
        artifact === undefined
          ? {}
          : {
              artifact: {
                path: 'x',
                url: 'http://x',
                revision: revisionOf(artifact),
                digest: artifact,
                lastUpdateTime: '',
              },
            },
    };
  };
  const unreachable = async (): Promise<void> => {
    await hands.git('config', 'http.uploadpack', 'false');
  };
  const reachable = async (): Promise<void> => {
    await hands.git('config', 'http.uploadpack', 'true');
  };

  it('what was pushed, before source-controller has it, and not again for what it has', async () => {
    const one = await write('one');
    expect((await eye.observe(repositoryWith(undefined)))?.revision).toBe(revisionOf(one));
    const two = await write('two');
    const head = await eye.observe(repositoryWith(one));
    expect([head?.revision, textOf(head)]).toEqual([revisionOf(two), 'two']);
    await unreachable();
    // Nobody asked anew: the artifact that comes after is the one that is known already.
    asked -= 1;
    expect((await eye.observe(repositoryWith(two)))?.revision).toBe(revisionOf(two));
    expect(eye.lines).toEqual([]);
    expect(eye.results).toEqual(['fetched', 'fetched']);
  });

  it('a branch that was moved back, or to a history of its own', async () => {
    const one = await write('one');
    await write('two');
    expect(textOf(await eye.observe(repositoryWith(one)))).toBe('two');
    await hands.move('main', one);
    expect(textOf(await eye.observe(repositoryWith(one)))).toBe('one');
    await hands.move('main', undefined);
    await write('elsewhere');
    expect(textOf(await eye.observe(repositoryWith(one)))).toBe('elsewhere');
  });

  it('a push that only source-controller noticed', async () => {
    await write('one');
    await eye.observe(repositoryWith(undefined));
    const two = await write('two');
    asked -= 1;
    const head = await eye.observe(repositoryWith(two));
    expect([head?.revision, textOf(head)]).toEqual([revisionOf(two), 'two']);
  });

  it('nothing from a branch that vanished, and keeps what it has', async () => {
    const one = await write('one');
    await eye.observe(repositoryWith(one));
    await hands.move('main', undefined);
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(one));
    expect(eye.lines.join()).toContain('the repository has no branch main');
    expect(eye.results).toEqual(['fetched', 'failed']);
  });

  it('with source-controller in its place while the remote is out of reach, and never an older revision', async () => {
    const one = await write('one');
    const two = await write('two');
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(two));
    await unreachable();
    // The artifact that was there at the last fetch is older.
    const failed = await eye.reader.observe(repositoryWith(one), signal);
    expect(failed.head?.revision).toBe(revisionOf(two));
    expect(failed.retryAfterMs).toBeGreaterThan(0);
    const three = await write('three');
    expect((await eye.observe(repositoryWith(three)))?.revision).toBe(revisionOf(three));
    await reachable();
    // Nobody asked, and a remote that is out of reach is not asked at each event.
    const four = await write('four');
    asked -= 1;
    expect((await eye.observe(repositoryWith(three)))?.revision).toBe(revisionOf(three));
    asked -= 1;
    eye.later(30_000);
    const head = await eye.observe(repositoryWith(three));
    expect([head?.revision, textOf(head)]).toEqual([revisionOf(four), 'four']);
    expect(eye.results).toEqual(['fetched', 'failed', 'failed', 'fetched']);
    // Told once.
    expect(eye.lines.filter((line) => JSON.parse(line).level >= 30)).toHaveLength(1);
    expect(JSON.parse(eye.lines[0] ?? '')).toMatchObject({
      level: 40,
      reason: expect.stringContaining('cannot be fetched'),
    });
  });

  it('at once when somebody asks, however shortly ago it failed', async () => {
    expect(await eye.observe(repositoryWith(undefined))).toBeUndefined();
    await write('one');
    expect(textOf(await eye.observe(repositoryWith(undefined)))).toBe('one');
    expect(eye.results).toEqual(['failed', 'fetched']);
  });

  it('and does not go back when source-controller comes with a revision that was overtaken', async () => {
    const one = await write('one');
    await eye.observe(repositoryWith(undefined));
    const two = await write('two');
    await eye.observe(repositoryWith(undefined));
    await unreachable();
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(two));
    // After a while it is not late any more: the branch was moved back, and only source-controller can see it.
    eye.later(150_000);
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(one));
  });

  it('and a restart does not go back either', async () => {
    const one = await write('one');
    const two = await write('two');
    await eye.observe(repositoryWith(one));
    await eye.stop();
    await unreachable();
    eye = openEye(join(folder, 'volume'));
    expect(await eye.observe(repositoryWith(one))).toBeUndefined();
    expect(await eye.observe(repositoryWith(one, { suspend: true }))).toBeUndefined();
    expect((await eye.observe(repositoryWith(two)))?.revision).toBe(revisionOf(two));
    await writeFile(join(folder, 'volume', '.head.json'), '{"rev');
    await eye.stop();
    eye = openEye(join(folder, 'volume'));
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(one));
  });

  it('nothing new while it is suspended', async () => {
    const one = await write('one');
    await eye.observe(repositoryWith(one));
    const two = await write('two');
    expect((await eye.observe(repositoryWith(two, { suspend: true })))?.revision).toBe(revisionOf(one));
    expect((await eye.observe(repositoryWith(two)))?.revision).toBe(revisionOf(two));
  });

  it('nothing where the GitRepository asks for more, and says which field once', async () => {
    const one = await write('one');
    await write('two');
    for (const spec of [
      { verify: { mode: 'HEAD' } },
      { verify: { mode: 'HEAD' } },
      { url: 'ssh://git@git.example.com/fleet' },
      { ignore: '*.txt' },
    ]) {
      expect((await eye.observe(repositoryWith(one, spec)))?.revision).toBe(revisionOf(one));
    }
    expect(eye.lines.map((line) => JSON.parse(line).field)).toEqual(['spec.verify', 'spec.url', 'spec.ignore']);
    expect(await readdir(folder)).toEqual(['remotes']);
  });

  it('nothing from a remote with a malformed tree in it, until the branch is good again', async () => {
    const one = await write('one');
    expect(textOf(await eye.observe(repositoryWith(one)))).toBe('one');
    const blob = (await hands.git('rev-parse', `main:${DESK}`)).trim();
    const file = join(folder, 'tree');
    await writeFile(
      file,
      Buffer.concat([Buffer.from('100644 a.yaml\0'), Buffer.from(blob, 'hex'), Buffer.from('100644 b.ya')]),
    );
    const broken = (await hands.git('hash-object', '-t', 'tree', '-w', '--literally', file)).trim();
    const nest = async (name: string, id: string): Promise<string> => {
      await writeFile(file, Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(id, 'hex')]));
      return (await hands.git('hash-object', '-t', 'tree', '-w', '--literally', file)).trim();
    };
    const root = await nest('tenants', await nest('production', await nest('t-a', broken)));
    const identity = ['-c', 'user.name=Anna', '-c', 'user.email=anna@example.com'];
    const commit = (await hands.git(...identity, 'commit-tree', '-m', 'Break', '-p', one, root)).trim();
    await hands.move('main', commit);
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(one));
    expect(eye.lines.join()).toContain('the repository cannot be fetched');
    eye.later(20_000);
    await hands.move('main', one);
    expect(textOf(await eye.observe(repositoryWith(one)))).toBe('one');
  });

  it('with the Secret as it is now, which is in no log', async () => {
    const credentials = { username: 'flux', password: 'first-password' };
    const secured = await startGitServer(join(folder, 'remotes'), { credentials });
    const secrets = new Map<string, Secret>([['fleet-git', { username: 'flux', password: 'old-password' }]]);
    await eye.stop();
    eye = openEye(join(folder, 'volume'), { secrets });
    const spec = { url: `${secured.url}/fleet.git`, secretRef: { name: 'fleet-git' } };
    try {
      const one = await write('one');
      expect((await eye.observe(repositoryWith(one, spec)))?.tree).toEqual({
        ok: true,
        split: { folders: new Map(), strays: [] },
      });
      secrets.set('fleet-git', credentials);
      eye.later(20_000);
      expect(textOf(await eye.observe(repositoryWith(one, spec)))).toBe('one');
      secrets.set('fleet-git', { githubAppID: '1' });
      expect(textOf(await eye.observe(repositoryWith(one, spec)))).toBe('one');
      const said = eye.lines.join();
      expect(said).toContain('githubAppID');
      expect(said).not.toMatch(/password|Zmx1eD/);
    } finally {
      await secured.stop();
    }
  });

  it('while a pass goes on without it, and asks for another when it is there', async () => {
    await eye.stop();
    eye = openEye(join(folder, 'volume'), { patience: 0 });
    const one = await write('one');
    const two = await write('two');
    expect((await eye.observe(repositoryWith(one)))?.revision).toBe(revisionOf(one));
    await vi.waitFor(() => expect(eye.wake).toHaveBeenCalled(), { timeout: 60_000 });
    asked -= 1;
    const head = await eye.observe(repositoryWith(one));
    expect([head?.revision, textOf(head)]).toEqual([revisionOf(two), 'two']);
  });
});
