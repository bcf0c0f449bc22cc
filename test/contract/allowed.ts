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
    case: /watch: after the history was compacted/,
    path: /status|body\..*/,
    step: /7 GET .*/,
    reason: 'Compaction ends all history at once; there a cache of its own may still know a page.',
  },
  {
    case: /watch: forms that a watch cannot have/,
    path: /lines\.0/,
    step: /1 WATCH .*/,
    reason: 'Long texts of YAML are folded at other places.',
  },
  {
    case: /(create: with another kind or version in the body|merge patch: with versions and uids)/,
    path: /headers\.warning/,
    reason: 'Of an object in a version that is not served only the version is refused, without a look at its fields.',
  },
  {
    case: /merge patch: that the schema refuses/,
    path: /body\.details\.causes\.2/,
    reason: 'The real server says the same three times, once for each check of the metadata on the way.',
  },
  {
    case: /(merge patch: a built-in kind|field validation: of updates and patches of built-in kinds)/,
    path: /body\.(message|details\.causes\.0\.message)/,
    reason: "The patched object is shown with sorted keys; there they are in the order of Go's structures.",
  },
  {
    case: /(server-side apply: malformed bodies|other forms of objects: YAML|bad input: deep nesting and aliases in YAML)/,
    path: /body\.message/,
    reason: 'Errors of YAML have the words of our parser.',
  },
  {
    case: /bad input: text that is no UTF-8/,
    path: /status|body(\..*)?/,
    step: /7 PATCH .*/,
    reason: 'Bytes that are no UTF-8 are replaced before a body is parsed; there YAML refuses them.',
  },
  {
    case: /bad input: compressed bodies that the server was not told of/,
    path: /body\.message/,
    reason: 'Bytes that are no UTF-8 are replaced before a body is parsed, so messages show the replacement.',
  },
  {
    case: /bad input: deep nesting( in patches)?/,
    path: /status|body(\..*)?/,
    step: /5 (POST|PATCH) .*|3 PATCH .*/,
    reason: 'Values are walked by recursion, which ends before 10 000 levels.',
  },
  {
    case: /bad input: duplicate keys/,
    path: /body\.(data|metadata\.managedFields)\..*/,
    step: /3 POST .*/,
    reason: 'Of keys that stand twice the last counts, also inside what is a typed map there.',
  },
  {
    case: /bad input: numbers at the edges( in patches)?/,
    path: /status|body(\..*)?/,
    step: /(3|5|6|7|8|9|10|11|12|33) (POST|PATCH|GET) .*/,
    reason:
      'Numbers are doubles: whole ones are exact to 2^53, and those beyond 64 bits are taken or refused as their double is.',
  },
  {
    case: /bad input: numbers at the edges in built-in kinds/,
    path: /status|body(\..*)?/,
    step: /[1256] POST .*/,
    reason: 'A number is its value, however it is written: 1.0 is 1, 1e2 is 100.',
  },
  {
    case: /built-in kinds: Services of each type/,
    path: /body\.spec\.(healthCheckNodePort|ipFamilies\.1|ipFamilyPolicy)/,
    reason: 'Services have IPv4 addresses only and no health checks, because nothing routes to them.',
  },
  {
    case: /built-in kinds: a ServiceAccount and its tokens/,
    path: /body\.(metadata\.managedFields|status\.token\.(alg|jti))/,
    reason: 'Tokens are signed with a shared secret, carry no identifier, and the request for one is stored nowhere.',
  },
  {
    case: /built-in kinds: (PersistentVolumeClaims|numbers and quantities are written in their canonical form)/,
    path: /headers\.warning|body\.(message|details\.causes\.0\.message|metadata\.(finalizers|deletion.*))/,
    reason:
      'Claims get no finalizer of protection, as no Pods run; texts with differences of Go structures are for people.',
  },
  {
    case: /HTTP: odd slashes, dots and escapes in paths/,
    path: /status|body\..*/,
    step: /17 GET .*/,
    reason: 'A path whose escapes are no UTF-8 is taken as it is written.',
  },
  {
    case: /server-side apply: states metadata with nothing in it, and the next write changes nothing/,
    path: /body\.metadata\.resourceVersion/,
    step: /4 PATCH .*/,
    reason:
      'What an apply states empty is kept there and left out when read, so that the next write always counts as one.',
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
