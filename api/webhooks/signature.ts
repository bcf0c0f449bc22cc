import { createHmac } from 'node:crypto';
import type { Random } from '../../kube/clock.ts';

/** What is signed, byte by byte as it is sent. `id` and `timestampSeconds` hold no full stop, so no two messages read the same. */
export type Message = { readonly id: string; readonly timestampSeconds: number; readonly body: string };

const PREFIX = 'whsec_';
/** The specification wants 24 to 64. */
const SECRET_BYTES = 32;

/** A secret as the receiver gets it: `whsec_` and base64. */
export function mintSecret(random: Random): string {
  return PREFIX + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64');
}

/** The three headers of Standard Webhooks 1.0.0; one signature for each secret, so that a receiver may change its own at any time while two are good. */
export function renderHeaders(message: Message, secrets: readonly string[]): Readonly<Record<string, string>> {
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestampSeconds),
    'webhook-signature': secrets.map((secret) => sign(message, secret)).join(' '),
  };
}

function sign({ id, timestampSeconds, body }: Message, secret: string): string {
  const key = Buffer.from(secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : secret, 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64')}`;
}
