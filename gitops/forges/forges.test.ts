import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type Forge, ForgeError } from './forge.ts';
import { createGiteaForge } from './gitea.ts';
import { createGitHubForge } from './github.ts';
import { createGitLabForge } from './gitlab.ts';
import { apiOfGitHub, createForge } from './open.ts';

const NOW_MS = 1_700_000_000_000;

const Recorded = z.object({
  source: z.string(),
  exchanges: z.record(
    z.string(),
    z.object({
      request: z.object({ method: z.string(), path: z.string(), body: z.record(z.string(), z.unknown()).optional() }),
      answer: z.object({ status: z.int(), headers: z.record(z.string(), z.string()).optional(), body: z.unknown() }),
    }),
  ),
});

type Received = {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
};

let server: Server;
let url: string;
let received: Received[];
let answers: {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body: unknown;
}[];

beforeEach(async () => {
  received = [];
  answers = [];
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { method = '', url: target = '', headers } = request;
    received.push({
      method,
      path: target,
      authorization: headers.authorization ?? '',
      body: text === '' ? undefined : JSON.parse(text),
    });
    const {
      status,
      headers: extra,
      body,
    } = answers.shift() ?? { status: 500, body: { message: 'nothing was recorded' } };
    response.writeHead(status, { 'content-type': 'application/json', ...extra });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const deps = { fetch, token: async () => 'secret-token', now: () => NOW_MS };

type Known = {
  readonly file: string;
  readonly create: () => Forge;
  readonly branch: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly number: number;
  readonly commit: string;
};

const FORGES: readonly Known[] = [
  {
    file: 'github.json',
    create: () => createGitHubForge({ url, owner: 'octocat', repository: 'Hello-World' }, deps),
    branch: 'new-topic',
    base: 'master',
    title: 'Amazing new feature',
    body: 'Please pull these awesome changes in!',
    number: 1347,
    commit: 'e5bd3914e2e596debea16f433f57875b5b90bcd6',
  },
  {
    file: 'gitlab.json',
    create: () => createGitLabForge({ url, project: 'my-group/my-project' }, deps),
    branch: 'test1',
    base: 'main',
    title: 'test1',
    body: 'fixed login page css paddings',
    number: 1,
    commit: '9'.repeat(40),
  },
];

describe.each(FORGES)('the forge of $file', ({ file, create, branch, base, title, body, number, commit }) => {
  const replay = async (...names: readonly string[]) => {
    const { exchanges } = Recorded.parse(
      JSON.parse(await readFile(path.join(import.meta.dirname, 'testdata', file), 'utf8')),
    );
    const wanted = names.map((name) => {
      const exchange = exchanges[name];
      if (exchange === undefined) throw new Error(`${file} has no ${name}`);
      return exchange;
    });
    answers = wanted.map(({ answer }) => answer);
    return {
      assertAsked: () => {
        expect(received.map(({ method, path: target }) => `${method} ${target}`)).toEqual(
          wanted.map(({ request }) => `${request.method} ${request.path}`),
        );
        for (const [index, { request }] of wanted.entries()) {
          if (request.body !== undefined) expect(received[index]?.body).toEqual(request.body);
        }
        expect(new Set(received.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer secret-token']));
      },
    };
  };
  const proposal = { branch, base, title, body };

  it('opens a pull request', async () => {
    const { assertAsked } = await replay('open');
    expect(await create().open(proposal)).toMatchObject({
      number,
      branch,
      state: 'Open',
      url: expect.stringContaining(String(number)),
    });
    assertAsked();
  });

  it('gives the open one when it is opened again', async () => {
    const { assertAsked } = await replay('openAgain', 'find');
    expect(await create().open(proposal)).toMatchObject({ number, state: 'Open' });
    assertAsked();
  });

  it('finds none where there is none', async () => {
    await replay('findNone');
    expect(await create().find(branch, base)).toBeUndefined();
    await replay('readNone');
    expect(await create().read(number)).toBeUndefined();
  });

  it('knows the commit of a merge', async () => {
    const { assertAsked } = await replay('readMerged');
    expect(await create().read(number)).toMatchObject({ number, state: 'Merged', mergeCommit: commit });
    assertAsked();
  });

  it('closes', async () => {
    const { assertAsked } = await replay('close');
    await create().close(number);
    assertAsked();
  });

  it('says when a limit lets calls through again', async () => {
    await replay('limited');
    const error = await create()
      .read(number)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'Limited', isTransient: true });
    expect(error).toHaveProperty('retryAfterMs', file === 'github.json' ? 90_000 : 30_000);
  });

  it('is told apart when it does not know the caller, and shows no token', async () => {
    await replay('denied');
    const error = await create()
      .read(number)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ failure: 'Denied', isTransient: false });
    expect(String(error)).not.toContain('secret-token');
  });

  it('is not believed when it answers something else', async () => {
    for (const answer of [
      { status: 200, body: '<html>' },
      { status: 200, body: { hello: 1 } },
      { status: 502, body: 'x' },
    ]) {
      answers = [answer];
      await expect(create().read(number)).rejects.toMatchObject({ name: 'ForgeError', failure: 'Unreachable' });
    }
    answers = [{ status: 200, body: JSON.stringify('x'.repeat(5 * 1024 * 1024)) }];
    await expect(create().read(number)).rejects.toMatchObject({
      failure: 'Unreachable',
      message: expect.stringContaining('bytes'),
    });
    answers = [{ status: 302, headers: { location: 'http://169.254.169.254/' }, body: '' }];
    await expect(create().read(number)).rejects.toBeInstanceOf(ForgeError);
    expect(received).toHaveLength(5);
  });
});

describe('GitHub', () => {
  const forge = () => createGitHubForge({ url, owner: 'o', repository: 'r' }, deps);

  it('says why it refused a proposal that nobody made before', async () => {
    answers = [
      { status: 422, body: { message: 'Validation Failed', errors: [{ field: 'head', code: 'invalid' }] } },
      { status: 200, body: [] },
    ];
    await expect(forge().open({ branch: 'b', base: 'main', title: 't', body: '' })).rejects.toMatchObject({
      failure: 'Refused',
      message: expect.stringContaining('Validation Failed'),
    });
  });

  it('waits as long as a secondary limit asks', async () => {
    answers = [{ status: 403, headers: { 'retry-after': '45' }, body: { message: 'secondary rate limit' } }];
    await expect(forge().read(1)).rejects.toMatchObject({ failure: 'Limited', retryAfterMs: 45_000 });
  });
});

it.each([
  ['Gitea', '/acme/fleet'],
  ['GitHub', '/acme/fleet'],
  ['GitLab', '/acme/fleet'],
] as const)(
  'a repository that the token does not see has no pull request that is gone: %s',
  async (type, repository) => {
    answers = Array.from({ length: 2 }, () => ({ status: 404, body: { message: 'no' } }));
    const forge = createForge({ type, repositoryUrl: `${url}${repository}` }, deps);
    await expect(forge.find('sublet/x', 'main')).rejects.toMatchObject({ failure: 'NotFound' });
  },
);

describe('the forge of a repository', () => {
  it.each([
    ['Gitea', '/git/acme/fleet.git', '/git/api/v1/repos/acme/fleet/pulls/7'],
    ['GitHub', '/acme/fleet', '/api/v3/repos/acme/fleet/pulls/7'],
    ['GitLab', '/acme/europe/fleet.git', '/api/v4/projects/acme%2Feurope%2Ffleet/merge_requests/7'],
  ] as const)('is asked on the host of the repository: %s', async (type, repository, asked) => {
    answers = [{ status: 404, body: { message: 'no' } }];
    expect(await createForge({ type, repositoryUrl: `${url}${repository}` }, deps).read(7)).toBeUndefined();
    expect(received[0]?.path).toBe(asked);
  });

  it.each([
    ['Gitea', '/acme/fleet', '/inside/api/v1/repos/acme/fleet/pulls/7'],
    ['GitHub', '/acme/fleet', '/inside/repos/acme/fleet/pulls/7'],
    ['GitLab', '/acme/europe/fleet', '/inside/api/v4/projects/acme%2Feurope%2Ffleet/merge_requests/7'],
  ] as const)('is asked at another address where that is stated: %s', async (type, repository, asked) => {
    answers = [{ status: 404, body: { message: 'no' } }];
    const place = { type, repositoryUrl: `https://git.example.com${repository}.git`, apiUrl: `${url}/inside` };
    expect(await createForge(place, deps).read(7)).toBeUndefined();
    expect(received[0]?.path).toBe(asked);
  });

  it('is that of github.com where it says', () => {
    expect(apiOfGitHub('https://github.com')).toBe('https://api.github.com');
  });

  it.each(['https://host/x', 'file:///a/b', 'ssh://git@host/a/b', ''])('is none for %j', (address) => {
    expect(() => createForge({ type: 'Gitea', repositoryUrl: address }, deps)).toThrow(ForgeError);
  });
});

it('escapes names in addresses', async () => {
  answers = [
    { status: 404, body: { message: 'no' } },
    { status: 200, body: [] },
  ];
  expect(
    await createGiteaForge({ url: `${url}/`, owner: 'a/b', repository: '../c' }, deps).find('x?y#z', 'main'),
  ).toBeUndefined();
  expect(received[0]).toMatchObject({
    path: '/api/v1/repos/a%2Fb/..%2Fc/pulls/main/x%3Fy%23z',
    authorization: 'token secret-token',
  });
});
