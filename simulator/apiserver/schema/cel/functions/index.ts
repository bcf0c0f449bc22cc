import { LISTS } from './lists.ts';
import { NETWORK } from './network.ts';
import { OPERATOR_OVERLOADS } from './operators.ts';
import { OPTIONALS } from './optionals.ts';
import type { Overload } from './overload.ts';
import { PATTERNS } from './patterns.ts';
import { QUANTITIES } from './quantities.ts';
import { STANDARD } from './standard.ts';
import { STRINGS } from './strings.ts';
import { TIMES } from './times.ts';

const ALL = [
  ...[...OPERATOR_OVERLOADS, ...STANDARD, ...STRINGS, ...LISTS, ...PATTERNS],
  ...[...TIMES, ...QUANTITIES, ...NETWORK, ...OPTIONALS],
];

const BY_NAME: ReadonlyMap<string, readonly Overload[]> = Map.groupBy(ALL, ({ name }) => name);

/** The forms of a function; undefined where there is none of that name. */
export function findFunction(name: string): readonly Overload[] | undefined {
  return BY_NAME.get(name);
}
