import { describe, expect, it } from 'vitest';
import { decodeProtobuf } from './protobuf.ts';

/** A field of bytes. */
function field(number: number, content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function envelope(apiVersion: string, kind: string, raw: Buffer): Buffer {
  const type = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, raw)]);
}

describe('protobuf', () => {
  it('is read as JSON', () => {
    const meta = Buffer.concat([
      field(1, 'a'),
      field(11, Buffer.concat([field(1, 'l'), field(2, 'x')])),
      field(14, 'f1'),
      field(14, 'f2'),
    ]);
    const entry = (key: string, value: string) => field(2, Buffer.concat([field(1, key), field(2, value)]));
    const raw = Buffer.concat([field(1, meta), entry('k', 'v'), entry('m', ''), Buffer.from([0x20, 1])]);
    expect(decodeProtobuf(envelope('v1', 'ConfigMap', raw))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', labels: { l: 'x' }, finalizers: ['f1', 'f2'] },
      data: { k: 'v', m: '' },
      immutable: true,
    });
  });

  it('holds bytes, times, ports and negative numbers', () => {
    const time = Buffer.from([0x08, 0x80, 0x94, 0xeb, 0xdc, 0x03]);
    const meta = Buffer.concat([field(1, 'a'), field(8, time)]);
    const data = field(2, Buffer.concat([field(1, 'k'), field(2, Buffer.from([0xff, 0]))]));
    expect(decodeProtobuf(envelope('v1', 'Secret', Buffer.concat([field(1, meta), data])))).toMatchObject({
      metadata: { creationTimestamp: '2001-09-09T01:46:40Z' },
      data: { k: '/wA=' },
    });
    const grace = Buffer.from([0x08, ...Array.from({ length: 9 }, () => 0xff), 0x01]);
    expect(decodeProtobuf(envelope('v1', 'DeleteOptions', grace))).toMatchObject({ gracePeriodSeconds: -1 });
    const port = Buffer.concat([
      Buffer.from([0x18, 80]),
      field(4, Buffer.concat([Buffer.from([0x08, 1]), field(3, 'http')])),
    ]);
    const spec = field(2, field(1, port));
    expect(decodeProtobuf(envelope('v1', 'Service', spec))).toMatchObject({
      spec: { ports: [{ port: 80, targetPort: 'http' }] },
    });
  });

  it('is refused where it is none, and given back where nobody knows the kind', () => {
    expect(() => decodeProtobuf(Buffer.from('{}'))).toThrow('does not appear to be a protobuf message');
    expect(() => decodeProtobuf(Buffer.from('k8s\0\x0a\x05a'))).toThrow('unexpected EOF');
    expect(decodeProtobuf(envelope('v1', 'Pod', Buffer.alloc(0)))).toBeUndefined();
  });
});
