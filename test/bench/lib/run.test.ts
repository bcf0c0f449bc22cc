import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuditTail } from './audittail.ts';
import { countByKind, findReads, waitUntilDone } from './run.ts';

const USER = 'system:serviceaccount:sublet-system:sublet-operator';

type Request = {
  readonly verb: string;
  readonly uri: string;
  readonly resource?: string;
  readonly subresource?: string;
};

function line({ verb, uri, resource = 'tenants', subresource }: Request, username = USER, code = 200): string {
  const at = '2026-11-21T09:00:00.000000Z';
  return `${JSON.stringify({
    stage: 'ResponseComplete',
    verb,
    requestURI: uri,
    user: { username },
    objectRef: { resource, name: 'a', ...(subresource === undefined ? {} : { subresource }) },
    responseStatus: { code },
    requestReceivedTimestamp: at,
    stageTimestamp: at,
  })}\n`;
}

describe('calls from the audit log', () => {
  let folder = '';
  let log = '';
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sublet-bench-test-'));
    log = path.join(folder, 'audit.log');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are those of one user, from where the log ended, and a line in the making waits', async () => {
    await writeFile(log, line({ verb: 'create', uri: '/before' }));
    const tail = await AuditTail.open(log, USER);
    const late = line({ verb: 'patch', uri: '/late' });
    await appendFile(log, line({ verb: 'create', uri: '/one' }) + line({ verb: 'create', uri: '/other' }, 'admin'));
    await appendFile(log, line({ verb: 'update', uri: '/lease', resource: 'leases' }) + late.slice(0, 20));
    expect(await tail.read()).toBe(1);
    await appendFile(log, late.slice(20));
    expect(await tail.read()).toBe(1);
    expect(tail.calls.map(({ uri, write }) => [uri, write])).toEqual([
      ['/one', true],
      ['/late', true],
    ]);
    await tail.close();
  });

  it('count as reads but for the first list of each kind and its pages', async () => {
    await writeFile(log, '');
    const tail = await AuditTail.open(log, USER);
    const pages = '/api/v1/secrets?limit=500';
    const reads = [pages, `${pages}&continue=x`, '/api/v1/services?limit=500', pages, `${pages}&continue=y`];
    await appendFile(log, reads.map((uri) => line({ verb: 'list', uri })).join(''));
    await appendFile(log, line({ verb: 'get', uri: '/api/v1/namespaces/a' }) + line({ verb: 'watch', uri: '/w' }));
    await tail.read();
    expect(findReads(tail.calls).map(({ uri }) => uri)).toEqual([pages, '/api/v1/namespaces/a']);
    expect(countByKind(tail.calls)).toEqual(['5 x list tenants 200', '1 x get tenants 200', '1 x watch tenants 200']);
    await tail.close();
  });

  it('end a run only when every Tenant had a status that was accepted', async () => {
    await writeFile(log, '');
    const tail = await AuditTail.open(log, USER);
    const status = { verb: 'patch', uri: '/s', subresource: 'status' };
    await appendFile(log, line(status, USER, 409));
    const waiting = waitUntilDone(tail, { name: 'somebody', tenants: 1, timeoutMs: 400 });
    await expect(waiting).rejects.toThrow('somebody wrote the status of 0 of 1 Tenants within 0.4 s');
    await appendFile(log, line(status));
    await waitUntilDone(tail, { name: 'somebody', tenants: 1, timeoutMs: 60_000 });
    await tail.close();
  });
});
