import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { buildConnectionRequest, createHandshake, type SecurityProtocol } from './index.ts';

const FOLDER = new URL('./testdata/', import.meta.url);

const REQUESTED = {
  rdp: ['RDP'],
  tls: ['TLS'],
  nla: ['NLA'],
  'tls-nla': ['TLS', 'NLA'],
} as const satisfies Record<string, readonly SecurityProtocol[]>;

type Requested = keyof typeof REQUESTED;

const answered = (selectedProtocol: SecurityProtocol) => ({
  kind: 'answered',
  selectedProtocol,
  flags: ['EXTENDED_CLIENT_DATA_SUPPORTED'],
  negotiated: true,
});
const tlsRequired = { kind: 'refused', reason: 'Failure', code: 1, text: 'the server requires TLS' };

/** By xrdp's `security_layer` and by what was requested. */
const EXPECTED: readonly (readonly [string, Requested, object])[] = [
  ['negotiate', 'rdp', answered('RDP')],
  ['negotiate', 'tls', answered('TLS')],
  ['negotiate', 'nla', answered('RDP')],
  ['negotiate', 'tls-nla', answered('TLS')],
  ['tls', 'rdp', tlsRequired],
  ['tls', 'tls', answered('TLS')],
  ['tls', 'nla', tlsRequired],
  ['tls', 'tls-nla', answered('TLS')],
  ['rdp', 'rdp', answered('RDP')],
  ['rdp', 'tls', answered('RDP')],
  ['rdp', 'nla', answered('RDP')],
  ['rdp', 'tls-nla', answered('RDP')],
];

describe('answers recorded from xrdp', () => {
  it('cover every recording', () => {
    const recordings = readdirSync(FOLDER).filter((name) => name.startsWith('xrdp-'));
    expect(recordings.toSorted()).toEqual(EXPECTED.map(([layer, name]) => `xrdp-${layer}-${name}.hex`).toSorted());
  });

  it.each(EXPECTED)('security_layer=%s, requested %s', (layer, name, verdict) => {
    const { request, answer } = readRecording(`xrdp-${layer}-${name}.hex`);
    const protocols = REQUESTED[name];
    expect(buildConnectionRequest({ cookie: 'probe', protocols })).toEqual(request);
    expect(createHandshake({ protocols }).push(answer)).toEqual(verdict);
    const byByte = createHandshake({ protocols });
    for (const byte of answer) byByte.push(Uint8Array.of(byte));
    expect(byByte.end()).toEqual(verdict);
  });
});

function readRecording(name: string): { readonly request: Uint8Array; readonly answer: Uint8Array } {
  const lines = readFileSync(new URL(name, FOLDER), 'utf8').trimEnd().split('\n');
  const request = lines.find((line) => line.startsWith('# request: '))?.slice('# request: '.length) ?? '';
  const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
  return { request: bytes(request), answer: bytes(lines.at(-1) ?? '') };
}
