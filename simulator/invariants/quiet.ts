import type { Check } from './checker.ts';
import { isOperator } from './live.ts';

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** I1, second half: once everything has settled the operator sends no write. Its Lease is not looked at. */
export const createQuietCheck: Check = (report) => {
  let settled = false;
  return {
    mark({ type }) {
      settled = type === 'settled';
    },
    request(request) {
      if (!settled || !isOperator(request.actor) || READS.has(request.verb)) return;
      if (request.resource.startsWith('leases.')) return;
      report('I1', request, 'a write was sent although everything had settled');
    },
  };
};
