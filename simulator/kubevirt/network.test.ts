import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { realClock } from '../../kube/clock.ts';
import type { VirtualMachineInstance } from '../../kubevirt/index.ts';
import { createAddressPool } from './addresses.ts';
import { selects } from './loadbalancer.controller.ts';
import { createLoadBalancer, isAdmitted } from './loadbalancer.ts';
import { canListen } from './network.ts';
import { ANNOTATION_FAULT, parseFault, parseOptions } from './options.ts';
import { createTimers } from './timers.ts';

const PORT = 13_891;
const at = (next: number) => ({
  random: { next: () => next, bytes: (length: number) => new Uint8Array(length) },
  isFree: canListen,
});

describe('createAddressPool', () => {
  it('gives every holder one address of the range, and the same again', async () => {
    const pool = createAddressPool(at(0.5), '127.77.0.0/29', PORT);
    const first = await pool.allocate('a');
    expect(first).toBe('127.77.0.4');
    expect(await pool.allocate('a')).toBe(first);
    const all = await Promise.all(['b', 'c', 'd', 'e', 'f'].map((holder) => pool.allocate(holder)));
    expect(new Set([first, ...all]).size).toBe(6);
    await expect(pool.allocate('g')).rejects.toThrow('no free address in 127.77.0.0/29 for port 13891: 6 are in use');
    pool.release('c');
    expect(await pool.allocate('g')).toBe(all[1]);
  });

  it('passes over an address whose port is taken', async () => {
    const server = createServer().listen({ host: '127.77.1.1', port: PORT });
    await once(server, 'listening');
    expect(await createAddressPool(at(0), '127.77.1.0/29', PORT).allocate('a')).toBe('127.77.1.2');
    server.close();
  });

  it('takes back a recorded address once', () => {
    const pool = createAddressPool(at(0), '127.77.2.0/24', PORT);
    expect(pool.claim('a', '127.77.2.9')).toBe(true);
    expect(pool.claim('a', '127.77.2.9')).toBe(true);
    expect(pool.claim('b', '127.77.2.9')).toBe(false);
    expect(pool.claim('b', '127.78.0.1')).toBe(false);
    expect(pool.claim('b', 'nonsense')).toBe(false);
    pool.release('a');
    expect(pool.claim('b', '127.77.2.9')).toBe(true);
  });

  it.each([
    ['10.0.0.0/24', 'not inside 127.0.0.0/8'],
    ['127.0.0.0', 'not an IPv4 range'],
    ['127.0.0.0/31', 'not an IPv4 range'],
    ['::1/64', 'not an IPv4 range'],
  ])('refuses the range %s', (cidr, message) => {
    expect(() => createAddressPool(at(0), cidr, PORT)).toThrow(message);
  });
});

describe('isAdmitted', () => {
  it.each([
    [[], '198.51.100.1', true],
    [['127.0.0.0/8'], '127.0.0.1', true],
    [['203.0.113.0/24'], '127.0.0.1', false],
    [['203.0.113.0/24', ' 127.0.0.1/32 '], '127.0.0.1', true],
    [['127.0.0.0/8'], '::ffff:127.0.0.1', true],
    [['::1/128'], '::1', true],
    [['0.0.0.0/0'], '127.3.2.1', true],
    [['nonsense', '10.0.0.0/33', '10.0.0.0'], '10.0.0.0', false],
    [['127.0.0.0/8'], '', false],
  ])('%j and %s: %s', (ranges, client, admitted) => {
    expect(isAdmitted(ranges, client)).toBe(admitted);
  });
});

describe('selects', () => {
  const vmi: VirtualMachineInstance = {
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstance',
    metadata: { name: 'desk', uid: 'u', labels: { a: '1' } },
    spec: { domain: { devices: {} } },
  };
  it.each([
    [{ a: '1' }, true],
    [{ a: '1', 'vm.kubevirt.io/name': 'desk', 'kubevirt.io': 'virt-launcher', 'kubevirt.io/created-by': 'u' }, true],
    [{ a: '2' }, false],
    [{}, false],
    [undefined, false],
  ])('%j: %s', (selector, selected) => {
    expect(selects(selector, vmi)).toBe(selected);
  });
});

describe('createLoadBalancer', () => {
  const balancer = createLoadBalancer({ clock: realClock, log: pino({ level: 'silent' }) });
  afterEach(() => balancer.removeAll());

  async function fetchText(port: number): Promise<string> {
    const socket = connect({ host: '127.77.3.1', port });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    await once(socket, 'close');
    return Buffer.concat(chunks).toString('utf8');
  }

  it('forwards to a backend, moves with it, and stops', async () => {
    const servers = await Promise.all(
      ['one', 'two'].map(async (text, index) => {
        const server = createServer((socket) => socket.end(text)).listen({ host: `127.77.3.${index + 2}`, port: PORT });
        await once(server, 'listening');
        return server;
      }),
    );
    let backends = ['127.77.3.2'];
    const forwarding = { address: '127.77.3.1', sourceRanges: [], backends: () => backends };
    await balancer.forward('ns/a', { ...forwarding, ports: [{ port: PORT, targetPort: PORT }] });
    expect(await fetchText(PORT)).toBe('one');
    backends = ['127.77.3.3'];
    expect(await fetchText(PORT)).toBe('two');
    backends = [];
    await expect(fetchText(PORT)).rejects.toThrow('ECONNRESET');
    backends = ['127.77.3.3'];
    await balancer.forward('ns/a', { ...forwarding, ports: [{ port: PORT + 1, targetPort: PORT }] });
    expect(await fetchText(PORT + 1)).toBe('two');
    await expect(fetchText(PORT)).rejects.toThrow('ECONNREFUSED');
    await balancer.forward('ns/a', {
      ...forwarding,
      sourceRanges: ['203.0.113.0/24'],
      ports: [{ port: PORT + 1, targetPort: PORT }],
    });
    await expect(fetchText(PORT + 1)).rejects.toThrow('ECONNRESET');
    await balancer.remove('ns/a');
    await expect(fetchText(PORT + 1)).rejects.toThrow('ECONNREFUSED');
    for (const server of servers) server.close();
  });
});

describe('createTimers', () => {
  it('fixes the end of a step when it is first asked for', () => {
    let nowMs = 1_000;
    const clock = { ...realClock, now: () => nowMs };
    const timers = createTimers({ clock, ...at(1) }, 0.2);
    expect(timers.remainingMs('u', 'boot', 100)).toBe(120);
    nowMs += 50;
    expect(timers.remainingMs('u', 'boot', 100)).toBe(70);
    nowMs += 100;
    expect(timers.remainingMs('u', 'boot', 100)).toBe(0);
    timers.forget('u');
    expect(timers.remainingMs('u', 'boot', 100)).toBe(120);
  });
});

describe('options', () => {
  it.each([
    [{ jitter: 2 }, 'jitter: 2 is not 0 to 1'],
    [{ rdpPort: 0 }, 'rdpPort: 0 is not a port'],
    [{ nodes: [] }, 'nodes: at least one is needed'],
    [{ timings: { bootMs: -1 } }, 'timings.bootMs: -1 is not a duration in ms'],
  ])('refuses %j', (options, message) => {
    expect(() => parseOptions(options)).toThrow(new RangeError(message));
  });

  it('reads the first known fault', () => {
    const of = (value: string) => ({ metadata: { annotations: { [ANNOTATION_FAULT]: value } } });
    expect(parseFault(undefined, of('typo'), of('garbage'), of('slow-boot'))).toBe('garbage');
    expect(parseFault({ metadata: {} })).toBeUndefined();
  });
});
