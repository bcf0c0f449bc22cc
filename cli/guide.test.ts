import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RunningApi, startApi } from './testing/api.ts';
import { makeFleet, SMALL_FLEET, type TestFleet, yaml } from './testing/fleet.ts';
import { bash, makeHome, makeWorkspace, readWorkflow, runSteps } from './testing/workflow.ts';

vi.setConfig({ testTimeout: 1_200_000, hookTimeout: 300_000 });

const ROOT = path.join(import.meta.dirname, '..');
const desk = (name: string, plan = 'pro') => yaml('RDPInstance', name, { plan, image: 'ubuntu-24', username: 'bob' });

let guide = '';
let folder = '';
let fleet: TestFleet;

beforeAll(async () => {
  guide = await readFile(path.join(ROOT, 'docs', 'guides', 'cli.md'), 'utf8');
  folder = await makeHome();
  fleet = await makeFleet();
  await fleet.write(SMALL_FLEET);
  await fleet.commit();
  await fleet.git('switch', '--quiet', '--create', 'feature');
  await fleet.write({ 't-acme--bob/second.yaml': desk('second') });
  await fleet.commit();
});
afterAll(async () => {
  await fleet.remove();
  await rm(folder, { recursive: true, force: true });
});

describe('the commands of the guide', () => {
  let running: RunningApi;
  beforeAll(async () => {
    running = await startApi();
  });
  afterAll(() => running.stop());

  it('do what it says', async () => {
    const lines = [...guide.matchAll(/```console\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
      block.trim().split('\n'),
    );
    expect(lines.length).toBeGreaterThan(18);
    for (const line of lines) expect(line).toMatch(/^\$ sublet /);
    const token = path.join(fleet.folder, 'token');
    await writeFile(token, `${await running.tokenOf('anna')}\n`);
    await chmod(token, 0o600);
    await writeFile(path.join(fleet.folder, 'bob-quota.yaml'), yaml('Quota', 'bob', { hard: { vcpu: 12 } }));
    const script = lines
      .map((line) => `echo ${JSON.stringify(`# ${line}`.replaceAll('$', ''))}; ${line.slice(2)}`)
      .join('\n');
    const { code, out, err } = await bash(script, { home: folder, cwd: fleet.folder }, { SERVER: running.url });
    expect(code, `${out}\n${err}`).toBe(0);
    expect(out).toContain('anna-desk   pro');
    expect(await readFile(path.join(fleet.folder, 'anna.rdp'), 'utf8')).toContain('198.51.100.7:3389');
  });

  it('have a like in the example of the client', async () => {
    const readme = await readFile(path.join(ROOT, 'client', 'README.md'), 'utf8');
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const here = example
      .replace("'./client/index.ts'", JSON.stringify(path.join(ROOT, 'client', 'index.ts')))
      .replace('https://sublet.example.com', running.url);
    const file = path.join(folder, 'example.ts');
    await writeFile(file, here.replace("name: 'lab'", "name: 'example'"));
    const { code, out, err } = await bash(
      `node ${file}`,
      { home: folder, cwd: folder },
      { SUBLET_TOKEN: await running.tokenOf('anna') },
    );
    expect([code, out, err]).toEqual([0, 'Ready\n', '']);
  });

  it('are those of kubectl sublet, too', async () => {
    const { code, out } = await bash('kubectl-sublet desktop --help', { home: folder, cwd: fleet.folder });
    expect([code, out]).toEqual([0, expect.stringContaining('Usage: kubectl sublet desktop')]);
  });
});

describe('the workflows of the guide', () => {
  const comments: {
    readonly url: string | undefined;
    readonly authorization: string | undefined;
    readonly body: string;
  }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => {
      comments.push({ url: request.url, authorization: request.headers.authorization, body: JSON.parse(text).body });
      response.writeHead(201).end('{}');
    });
  });
  let api = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    api = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const values = () => ({
    'github.base_ref': 'main',
    'secrets.GITHUB_TOKEN': 't0ken',
    'github.api_url': api,
    'github.repository': 'provider/fleet',
    'github.event.pull_request.number': '7',
  });

  async function runWorkflow(
    file: string,
    branch: string,
    options: { readonly isMerged: boolean; readonly skip?: string },
  ) {
    const { steps } = await readWorkflow(file);
    const cwd = await makeWorkspace(folder, fleet.folder, { branch, isMerged: options.isMerged });
    const ran = await runSteps(
      steps.filter(({ name }) => name !== options.skip),
      { home: folder, cwd },
      values(),
    );
    return { ran, cwd };
  }

  it.each(['.gitea/workflows/fleet.yaml', '.github/workflows/fleet.yaml'])(
    '%s says nothing of the event in a script',
    async (file) => {
      const { on, install, steps } = await readWorkflow(file);
      expect([on, install?.run]).toEqual(['pull_request', 'npm ci --omit=dev --prefix sublet']);
      expect(steps.map(({ name }) => name)).toEqual(['Lint', 'Diff', 'Comment']);
      for (const { run } of steps) expect(run).not.toContain('${{');
    },
  );

  it('Gitea: a good branch passes, and its price is a comment', async () => {
    const { ran } = await runWorkflow('.gitea/workflows/fleet.yaml', 'feature', { isMerged: false });
    expect([...ran].map(([name, { code, err }]) => [name, code, code === 0 ? '' : err])).toEqual([
      ['Lint', 0, ''],
      ['Diff', 0, ''],
      ['Comment', 0, ''],
    ]);
    expect(comments.at(-1)).toMatchObject({
      url: '/api/v1/repos/provider/fleet/issues/7/comments',
      authorization: 'token t0ken',
    });
    expect(comments.at(-1)?.body).toContain('| acme--bob | acme | Retail | USD | 84.00 | 123.00 | +39.00 |');
  });

  it('Gitea: a bad branch fails, with its lines annotated and its comment made all the same', async () => {
    await fleet.git('switch', '--quiet', '--create', 'bad', 'main');
    await fleet.write({ 't-acme--bob/bad.yaml': desk('bad', 'gone') });
    await fleet.git('add', '--all', 'tenants');
    await fleet.git('commit', '--quiet', '--message', 'Order what nobody sells');
    await fleet.git('switch', '--quiet', 'feature');
    const { ran } = await runWorkflow('.gitea/workflows/fleet.yaml', 'bad', { isMerged: false });
    expect([...ran].map(([name, { code }]) => [name, code])).toEqual([
      ['Lint', 1],
      ['Diff', 1],
      ['Comment', 0],
    ]);
    expect(ran.get('Lint')?.out).toContain(
      '::warning file=tenants/staging/t-acme--bob/bad.yaml,line=8,title=PlanNotFound::',
    );
    expect(comments.at(-1)?.body).toContain('**1 problem**');
  });

  it('GitHub: the merge with the base is checked, and the branch compared', async () => {
    const options = { isMerged: true, skip: 'Comment' };
    const { ran, cwd } = await runWorkflow('.github/workflows/fleet.yaml', 'feature', options);
    expect([...ran].map(([name, { code, err }]) => [name, code, code === 0 ? '' : err])).toEqual([
      ['Lint', 0, ''],
      ['Diff', 0, ''],
    ]);
    expect(await readFile(path.join(cwd, 'comment.md'), 'utf8')).toContain(
      '| acme | the provider | Wholesale | USD | 30.00 | 60.00 | +30.00 |',
    );
  });
});
