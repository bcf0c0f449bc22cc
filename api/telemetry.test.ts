import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseTrailers } from '../gitops/message.ts';
import { renderChange } from '../gitops/writer/target.ts';
import { computeTrace, startTelemetry, type Telemetry } from './telemetry.ts';
import { createTestApi, ROOT_PLANS, type TestApi, user } from './testing/testapi.ts';

const CHANGE = `I${'0123456789'.repeat(4)}`;
const TRACE = 'a'.repeat(32);
const PARENT = 'b'.repeat(16);

describe('the trace of a change', () => {
  const fresh = '00-89012345678901234567890123456789-0123456789012345-01';

  it.each<readonly [string | undefined, string, string | undefined]>([
    [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-0123456789012345-01`, PARENT],
    [`00-${TRACE}-${PARENT}-00`, `00-${TRACE}-0123456789012345-00`, PARENT],
    [undefined, fresh, undefined],
    ['', fresh, undefined],
    ['x', fresh, undefined],
    [`01-${TRACE}-${PARENT}-01`, fresh, undefined],
    [`00-${'0'.repeat(32)}-${PARENT}-01`, fresh, undefined],
    [`00-${TRACE}-${'0'.repeat(16)}-01`, fresh, undefined],
    [`00-${TRACE.toUpperCase()}-${PARENT}-01`, fresh, undefined],
  ])('of %s is %s', (header, traceparent, parentId) => {
    expect(computeTrace(CHANGE, header)).toEqual({ traceparent, parentId });
  });
});

describe('spans', () => {
  const received: { readonly url: string | undefined; readonly type: string | undefined; readonly body: string }[] = [];
  let status = 200;
  const collector = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ url: request.url, type: request.headers['content-type'], body });
      response.writeHead(status).end('{}');
    });
  });
  let api: TestApi;
  let telemetry: Telemetry;

  beforeAll(async () => {
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    api = await createTestApi({
      telemetry: (deps) => {
        const { port } = collector.address() as AddressInfo;
        telemetry = startTelemetry({ ...deps, fetch }, `http://127.0.0.1:${port}/`);
        return telemetry;
      },
    });
    for (const object of ROOT_PLANS) api.put(object);
    api.sell('acme', { type: 'Reseller', members: [user('anna', 'Owner')] });
  });
  afterAll(async () => {
    await telemetry.stop();
    await api.close();
    collector.close();
  });

  const order = async (name: string, headers: Record<string, string> = {}): Promise<string> => {
    const payload = { name, spec: { plan: 'basic', image: 'ubuntu-24', username: 'anna' } };
    const answer = await api.as('anna', { method: 'POST', url: '/v1/tenants/acme/desktops', payload, headers });
    expect(answer.statusCode, answer.body).toBe(202);
    return answer.json().id;
  };
  const end = async (id: string, state: 'Ready' | 'Failed', reason?: string): Promise<void> => {
    const lease = await api.journal.lease('fleet', 'a writer', 60_000);
    if (lease === undefined) throw new Error('the lease is taken');
    await api.journal.record(lease, new Map([[id, { state: 'Committed', commit: 'c'.repeat(40) }]]));
    await api.journal.advance(new Map([[id, { from: 'Committed', outcome: { state, reason } }]]));
  };
  const spans = () => received.flatMap(({ body }) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
  const heard = async (count: number): Promise<void> => {
    await expect.poll(() => api.clock.advance(2_000).then(() => received.length)).toBe(count);
  };

  it('go from the order to Ready, part of the caller’s, and named by the commit', async () => {
    const id = await order('one', { traceparent: `00-${TRACE}-${PARENT}-01` });
    const orderedAtMs = api.clock.now();
    await api.clock.advance(30_000);
    expect(received).toEqual([]);
    await end(id, 'Ready');
    const change = await api.journal.find(id);
    if (change === undefined) throw new Error('there is no such change');
    const trailer = parseTrailers(renderChange(change))?.traceparent;
    await heard(1);
    expect(received[0]).toMatchObject({ url: '/v1/traces', type: 'application/json' });
    expect(trailer).toBe(`00-${TRACE}-${id.slice(1, 17)}-01`);
    expect(spans()).toEqual([
      expect.objectContaining({
        traceId: TRACE,
        spanId: id.slice(1, 17),
        parentSpanId: PARENT,
        name: 'Create RDPInstance',
        startTimeUnixNano: `${orderedAtMs}000000`,
        endTimeUnixNano: `${orderedAtMs + 30_000}000000`,
        status: { code: 1 },
      }),
    ]);
  });

  it('say why an order failed; none goes out that its caller does not sample', async () => {
    await end(await order('quiet', { traceparent: `00-${TRACE}-${PARENT}-00` }), 'Ready');
    await end(await order('two'), 'Failed', 'DryRunRefused');
    await heard(2);
    expect(spans().slice(1)).toEqual([expect.objectContaining({ status: { code: 2, message: 'DryRunRefused' } })]);
  });

  it('are lost where nobody takes them, and no order is', async () => {
    status = 503;
    await end(await order('three'), 'Ready');
    await heard(3);
    status = 200;
    await end(await order('four'), 'Ready');
    await heard(4);
    await expect.poll(() => api.lines).toContainEqual(expect.objectContaining({ msg: 'spans were not exported' }));
  });
});
