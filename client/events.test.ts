import { describe, expect, it } from 'vitest';
import { parseEvents, type ServerEvent } from './events.ts';
import { takeAll } from './pages.ts';

async function parse(...chunks: readonly (string | Uint8Array)[]): Promise<readonly ServerEvent[]> {
  async function* stream(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
  }
  return takeAll(parseEvents(stream()));
}

const TEXT =
  'retry: 1000\n\nid: 1\nevent: change\ndata: {"a":1}\n\n: still here\n\ndata:x\r\ndata: y\r\n\r\nevent: none\n\ndata\rdata: z\r\r';
const EVENTS = [
  { id: '1', event: 'change', data: '{"a":1}' },
  { id: undefined, event: 'message', data: 'x\ny' },
  { id: undefined, event: 'message', data: '\nz' },
];

describe('server-sent events', () => {
  it('are read with any end of line, without comments and hints', async () => {
    expect(await parse(`${TEXT}\n`)).toEqual(EVENTS);
  });

  it('are the same however they are cut', async () => {
    const bytes = new TextEncoder().encode(`${TEXT}\ndata: \u00e9\u{1f600}\n\n`);
    for (let at = 1; at < bytes.length; at += 1) {
      expect(await parse(bytes.subarray(0, at), bytes.subarray(at))).toEqual([
        ...EVENTS,
        { id: undefined, event: 'message', data: '\u00e9\u{1f600}' },
      ]);
    }
  });

  it('of which the end is missing are none', async () => {
    expect(await parse('data: half\n')).toEqual([]);
  });

  it('without an end are refused and not kept', async () => {
    await expect(parse(...Array.from({ length: 20 }, () => 'x'.repeat(100_000)))).rejects.toThrow(
      'an event has more than 1048576 characters',
    );
  });
});
