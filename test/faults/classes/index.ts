import type { FaultClass } from '../point.ts';
import { clock } from './clock.ts';
import { crash } from './crash.ts';
import { definitions, repository, termination } from './disasters.ts';
import { errors } from './errors.ts';
import { leaders } from './leaders.ts';
import { lost } from './lost.ts';
import { quiet } from './quiet.ts';
import { stale } from './stale.ts';
import { told } from './told.ts';
import { unobserved } from './unobserved.ts';
import { unserved } from './unserved.ts';

/** Every kind of trouble, in the order in which the table shows them. */
export const CLASSES: readonly FaultClass[] = [
  told,
  crash,
  unobserved,
  stale,
  errors,
  quiet,
  leaders,
  definitions,
  unserved,
  termination,
  repository,
  lost,
  clock,
];

/** Throws on a name that no class has, naming those that there are. */
export function findClass(name: string): FaultClass {
  const found = CLASSES.find((one) => one.name === name);
  if (found === undefined)
    throw new RangeError(`there is no class ${name}; there are ${CLASSES.map((one) => one.name).join(', ')}`);
  return found;
}
