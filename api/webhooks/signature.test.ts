import { describe, expect, it } from 'vitest';
import { realRandom } from '../../kube/clock.ts';
import { mintSecret, renderHeaders } from './signature.ts';

/**
 * The vectors of https://github.com/standard-webhooks/standard-webhooks: the test `sign function works` of its libraries (`libraries/javascript/src/webhook.test.ts`,
 * the same in every language).
 */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  message: { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampSeconds: 1_614_265_330, body: '{"test": 2432232314}' },
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};

describe('signatures', () => {
  it('are those of Standard Webhooks', () => {
    expect(renderHeaders(VECTOR.message, [VECTOR.secret])).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': VECTOR.signature,
    });
  });

  it('are the same for a secret without its prefix', () => {
    const bare = VECTOR.secret.slice('whsec_'.length);
    expect(renderHeaders(VECTOR.message, [bare])['webhook-signature']).toBe(VECTOR.signature);
  });

  it('stand side by side while two secrets are good, the new one first', () => {
    const other = mintSecret(realRandom);
    const [first, second] = String(renderHeaders(VECTOR.message, [other, VECTOR.secret])['webhook-signature']).split(
      ' ',
    );
    expect(first).toBe(renderHeaders(VECTOR.message, [other])['webhook-signature']);
    expect(second).toBe(VECTOR.signature);
  });

  it.each([
    { id: 'msg_p5jXN8AQM9LWM0D4loKWxJel' },
    { timestampSeconds: 1_614_265_331 },
    { body: '{"test": 2432232315}' },
    { body: '{"test":2432232314}' },
    { body: '{"tést": 2432232314}' },
  ])('differ when the message does: %j', (change) => {
    expect(renderHeaders({ ...VECTOR.message, ...change }, [VECTOR.secret])['webhook-signature']).not.toBe(
      VECTOR.signature,
    );
  });

  it('come from secrets of 32 random bytes', () => {
    const minted = Array.from({ length: 100 }, () => mintSecret(realRandom));
    expect(new Set(minted).size).toBe(100);
    for (const secret of minted) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(secret.slice(6), 'base64')).toHaveLength(32);
    }
  });
});
