import type { Place, Scenario } from '../story.ts';
import { accessChange, imageMissing, planChange, storageGrowth, upgrade } from './changes.ts';
import { guestCrash, guestShutdown, held, ordered, powerCycle, restarted, resumed, suspended } from './power.ts';
import {
  breakerTripped,
  deletedAtOnce,
  returned,
  swept,
  tenantRemoved,
  tenantReturned,
  tombstoneConflict,
} from './removal.ts';
import { members, nameConflict, quotaRaised, tenantCreated, tree } from './tenants.ts';

/** The lives that are swept, each a few minutes to a few days of virtual time. */
export const SCENARIOS: readonly Scenario<Place>[] = [
  tenantCreated,
  tree,
  members,
  quotaRaised,
  nameConflict,
  ordered,
  powerCycle,
  restarted,
  guestShutdown,
  guestCrash,
  suspended,
  resumed,
  held,
  planChange,
  storageGrowth,
  imageMissing,
  accessChange,
  upgrade,
  swept,
  deletedAtOnce,
  returned,
  tombstoneConflict,
  tenantRemoved,
  tenantReturned,
  breakerTripped,
];

/** Throws on a name that no scenario has, naming those that there are. */
export function findScenario(name: string): Scenario<Place> {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined)
    throw new RangeError(`there is no scenario ${name}; there are ${SCENARIOS.map((one) => one.name).join(', ')}`);
  return found;
}
