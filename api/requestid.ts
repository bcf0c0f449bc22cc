import type { Random } from '../kube/clock.ts';

const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$/;

/** The caller's own request id when it is one that can stand in logs and trailers, else a new one. */
export function chooseRequestId(given: string | readonly string[] | undefined, random: Random): string {
  if (typeof given === 'string' && WELL_FORMED.test(given)) return given;
  return `req-${Buffer.from(random.bytes(12)).toString('hex')}`;
}
