import { createFakeClock, createFakeRandom, type FakeClock } from '../../../../kube/testing/fakeclock.ts';
import { createTestLog } from '../../../../kube/testing/testlog.ts';
import type { UserInfo } from '../../kinds.ts';
import type { ApiAnswer } from '../../request.ts';
import { type ApiServer, type ApiServerDeps, createApiServer, type RequestEvent } from '../../server.ts';

export type TestAnswer = {
  readonly status: number;
  readonly headers: ApiAnswer['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of an answer, it asserts.
  readonly body: any;
};

/** A server on a clock that stands still, and calls to it. */
export type TestServer = {
  readonly clock: FakeClock;
  readonly server: ApiServer;
  readonly deps: ApiServerDeps;
  /** Everything that was answered, by whomever it was asked. */
  readonly requests: readonly RequestEvent[];
  call(method: string, path: string, body?: unknown, contentType?: string): Promise<TestAnswer>;
};

const USER: UserInfo = { username: 'tester', groups: ['system:masters'] };

export function createTestServer(deps: Partial<Pick<ApiServerDeps, 'clock'>> = {}): TestServer {
  const clock = createFakeClock();
  const all = { clock, random: createFakeRandom(), log: createTestLog().log, ...deps };
  const server = createApiServer(all);
  const requests: RequestEvent[] = [];
  server.onRequest((event) => requests.push(event));
  return {
    clock,
    server,
    deps: all,
    requests,
    call: async (method, path, body, contentType = 'application/json') => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = { 'content-type': contentType, 'user-agent': 'test' };
      const answer = await server.handle({ method, path, headers, body: text, user: USER });
      return { status: answer.status, headers: answer.headers, body: JSON.parse(answer.body) };
    },
  };
}
