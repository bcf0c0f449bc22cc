import type { Difference } from './compare.ts';

/**
 * Differences that stay. Each is in `simulator/apiserver/README.md` with its reason in full; here it says where it shows. The suite fails on a
 * difference that no entry names, and on an entry that no difference needs any more.
 */
export type Allowed = {
  /** The case, as `subject: name`; the expression has to match it whole, as do the others. */
  readonly case: RegExp;
  /** Where in the answer: `body\.message`. */
  readonly path: RegExp;
  /** Only in these steps, as the report prints them; absent: in all. */
  readonly step?: RegExp;
  readonly reason: string;
};

export const ALLOWED: readonly Allowed[] = [
  {
    case: /(other forms of objects|kubectl): .*/,
    path: /(body|lines\.\d+\.object)\.columnDefinitions\.\d+\.description/,
    reason: 'Columns of built-in members are described in upstream sentences, which are not ours to copy.',
  },
  {
    case: /HTTP: without authentication, and with a wrong one/,
    path: /status|body\..*/,
    step: /2 GET .*/,
    reason: 'There is no authorisation, so a caller without a token is refused as unknown and not as anonymous.',
  },
  {
    case: /HTTP: methods that a path does not have/,
    path: /status|headers\..*|body/,
    step: /8 BREW .*/,
    reason: "Node's HTTP parser refuses methods that it does not know before the server hears of them.",
  },
  {
    case: /bad input: text that is no UTF-8/,
    path: /body\.message/,
    step: /4 POST .*/,
    reason: 'Bytes that are no UTF-8 are replaced before a body is parsed, so messages show the replacement.',
  },
  {
    case: /CustomResourceDefinition: with CEL rules that do not compile or cost too much/,
    path: /status|body\..*/,
    step: /11 POST .*/,
    reason: 'The cost of rules is not estimated, so that no definition is refused for it.',
  },
];

/** The first entry that lets a difference stand. */
export function findAllowed(name: string, difference: Difference, allowed = ALLOWED): Allowed | undefined {
  return allowed.find(
    (entry) =>
      isWhole(entry.case, name) &&
      isWhole(entry.path, difference.path) &&
      (entry.step === undefined || isWhole(entry.step, difference.step)),
  );
}

function isWhole(expression: RegExp, text: string): boolean {
  return new RegExp(`^(?:${expression.source})$`, expression.flags).test(text);
}
