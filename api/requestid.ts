import type { Random } from '../kube/clock.ts';

const WELL_FORMED = /^[A-Za-z0-9][A-Za-z0-9._:-]{7,63}$/;

/** Chooses the id of a request: the caller's own when it is one that can stand in logs and trailers, else the next of this process. */
export function createRequestIds(random: Random): (given: string | readonly string[] | undefined) => string {
  const process = Buffer.from(random.bytes(8)).toString('hex');
  let count = 0;
  return (given) => {
    if (typeof given === 'string' && WELL_FORMED.test(given)) return given;
    count += 1;
    return `req-${process}-${count}`;
  };
}
