import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { realClock } from '../../kube/clock.ts';
import { DestinationError } from './destination.ts';
import { createPost, type PostOptions } from './post.ts';
import { type Receiver, startReceiver } from './testing/receiver.ts';

/** What must come within a time-out comes late on a machine that does much else. */
const SLOW_MS = 180_000;
const message = { headers: { 'webhook-id': 'msg_1' }, body: '{"type":"webhook.test","ö":1}' };

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver(['hooks.example.com']);
});
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = (_message, response) => void response.writeHead(204).end();
});
afterAll(() => receiver.close());

function poster(options: Partial<PostOptions> = {}) {
  const allowedHosts = [`127.0.0.1:${receiver.port}`];
  const post = createPost({ clock: realClock }, { allowedHosts, protocols: ['https'], ...options });
  return (url: string, of: typeof message, signal = new AbortController().signal) => post(url, of, signal);
}

describe('a message', () => {
  it('arrives byte by byte', async () => {
    expect(await poster()(`${receiver.url}/hook?x=1`, message)).toEqual({ status: 204 });
    expect(receiver.received).toEqual([
      expect.objectContaining({ id: 'msg_1', path: '/hook?x=1', body: message.body }),
    ]);
    expect(receiver.received[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(message.body)),
      'user-agent': 'sublet-webhooks',
    });
  });

  it.each([200, 201, 202, 299])('is delivered by %i', async (status) => {
    receiver.answer = (_message, response) => void response.writeHead(status).end('thank you');
    expect(await poster()(receiver.url, message)).toEqual({ status });
  });

  it.each([400, 401, 404, 410, 429, 500, 502, 503, 504])('is not by %i', async (status) => {
    receiver.answer = (_message, response) => void response.writeHead(status, { 'retry-after': '7' }).end();
    expect(await poster()(receiver.url, message)).toEqual({
      status,
      problem: `answered ${status}`,
      retryAfter: '7',
    });
  });

  it.each([301, 302, 303, 307, 308])('follows no %i', async (status) => {
    receiver.answer = (_message, response) =>
      void response.writeHead(status, { location: `${receiver.url}/inside` }).end();
    expect(await poster()(receiver.url, message)).toMatchObject({
      status,
      problem: expect.stringContaining('redirects are not followed'),
    });
    expect(receiver.received.map(({ path }) => path)).toEqual(['/']);
  });
});

describe('a receiver', () => {
  it(
    'that hangs is given up in time',
    async () => {
      receiver.answer = () => {};
      expect(await poster({ timeoutMs: 500 })(receiver.url, message)).toEqual({ problem: 'no answer within 0.5 s' });
    },
    SLOW_MS,
  );

  it('that sends 50 MB has delivered with its first line, and no more than its first part is read', async () => {
    const chunk = Buffer.alloc(65_536, 'x');
    let sent = 0;
    const ended = Promise.withResolvers<void>();
    receiver.answer = (_message, response) => {
      response.once('close', () => ended.resolve());
      const send = (): void => {
        while (sent < 50_000_000 && !response.destroyed) {
          sent += chunk.length;
          if (!response.write(chunk)) return void response.once('drain', send);
        }
        response.end();
      };
      response.writeHead(200);
      send();
    };
    expect(await poster()(receiver.url, message)).toEqual({ status: 200 });
    await ended.promise;
    // More than the kernel keeps for a reader that is gone.
    expect(sent).toBeLessThan(25_000_000);
  });

  it(
    'that never ends its answer has delivered',
    async () => {
      receiver.answer = (_message, response) => {
        response.writeHead(200);
        response.write('a');
      };
      // Long enough for the answer to begin on a machine that does much else.
      expect(await poster({ timeoutMs: 30_000 })(receiver.url, message)).toEqual({ status: 200 });
    },
    SLOW_MS,
  );

  it('is left when the sender stops', async () => {
    const stopping = new AbortController();
    receiver.answer = () => stopping.abort();
    expect(await poster()(receiver.url, message, stopping.signal)).toEqual({ problem: 'the sender stopped' });
    expect(receiver.received).toHaveLength(1);
    expect(await poster()(receiver.url, message, stopping.signal)).toEqual({ problem: 'the sender stopped' });
    expect(receiver.received).toHaveLength(1);
  });

  it('that closes early has not', async () => {
    receiver.answer = (_message, response) => void response.socket?.destroy();
    expect(await poster()(receiver.url, message)).toEqual({ problem: 'the connection failed: ECONNRESET' });
  });

  it('that closes within its answer has', async () => {
    receiver.answer = (_message, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('a', () => response.socket?.destroy());
    };
    expect(await poster()(receiver.url, message)).toEqual({ status: 200 });
  });

  it('that sends headers without end has not', async () => {
    receiver.answer = (_message, response) => {
      response.writeHead(200, { 'x-long': 'x'.repeat(100_000) }).end();
    };
    expect(await poster()(receiver.url, message)).toEqual({ problem: 'the connection failed: HPE_HEADER_OVERFLOW' });
  });

  it('that switches protocols has not', async () => {
    receiver.answer = (_message, response) =>
      void response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    expect(await poster()(receiver.url, message)).toMatchObject({ problem: expect.any(String) });
  });

  it('that speaks no HTTP has not', async () => {
    receiver.answer = (_message, response) => void response.socket?.end('SSH-2.0-x\r\n');
    expect(await poster()(receiver.url, message)).toEqual({ problem: expect.stringContaining('HPE_') });
  });

  it('has to have a certificate of its name', async () => {
    const resolve = async () => ['127.0.0.1'];
    const outside = `https://other.example.com:${receiver.port}/`;
    expect(await poster({ resolve })(outside, message)).toEqual({
      problem: 'the connection failed: ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(receiver.received).toEqual([]);
  });
});

describe('the address', () => {
  it('that was judged is the one that is connected to, whatever the name says a moment later', async () => {
    let asked = 0;
    const resolve = async () => {
      asked += 1;
      return ['127.0.0.1'];
    };
    // No name server knows this name: only what was judged can have led there.
    expect(await poster({ resolve })(`https://hooks.example.com:${receiver.port}/x`, message)).toEqual({ status: 204 });
    expect(asked).toBe(1);
    expect(receiver.received[0]?.headers.host).toBe(`hooks.example.com:${receiver.port}`);
  });

  it('is judged anew at each attempt', async () => {
    const answers = [['127.0.0.1'], undefined];
    const resolve = async () => {
      const next = answers.shift();
      if (next === undefined)
        throw new DestinationError('the name of the host leads to an address that is not on the internet');
      return next;
    };
    const post = poster({ resolve });
    const url = `https://hooks.example.com:${receiver.port}/x`;
    expect(await post(url, message)).toEqual({ status: 204 });
    expect(await post(url, message)).toEqual({
      problem: 'the name of the host leads to an address that is not on the internet',
    });
    expect(receiver.received).toHaveLength(1);
  });

  it('on loopback is refused but where the provider allows it', async () => {
    const strict = poster({ allowedHosts: [] });
    for (const url of [receiver.url, `http://127.0.0.1:${receiver.port}/`, `https://localhost:${receiver.port}/`]) {
      expect((await strict(url, message)).problem).toMatch(/^the URL /);
    }
    expect(receiver.received).toEqual([]);
  });

  it('of a name that takes too long is given up in time', async () => {
    const post = poster({ resolve: () => new Promise(() => {}), timeoutMs: 300 });
    expect(await post('https://hooks.example.com/', message)).toEqual({ problem: 'no answer within 0.3 s' });
  });

  it('that refuses connections is told by a code', async () => {
    // A port that is handed out to nobody.
    const post = poster({ allowedHosts: ['127.0.0.1:1'] });
    expect(await post('https://127.0.0.1:1/', message)).toEqual({ problem: 'the connection failed: ECONNREFUSED' });
  });
});
