import type { Subject } from '../suite.ts';
import { applies } from './apply.ts';
import { badInput } from './badinput.ts';
import { builtins } from './builtin.ts';
import { cel } from './cel.ts';
import { controllers } from './controllers.ts';
import { crds } from './crd.ts';
import { create } from './create.ts';
import { deletion } from './delete.ts';
import { discovery } from './discovery.ts';
import { dryRun } from './dryrun.ts';
import { fieldValidation } from './fieldvalidation.ts';
import { http } from './http.ts';
import { jsonPatches } from './jsonpatch.ts';
import { kubectls } from './kubectl.ts';
import { managedFields } from './managedfields.ts';
import { mergePatch } from './mergepatch.ts';
import { read } from './read.ts';
import { schemas } from './schema.ts';
import { statuses } from './status.ts';
import { tables } from './table.ts';
import { update } from './update.ts';
import { watches } from './watch.ts';
import { webhooks } from './webhooks.ts';

/** Every case of the contract, by subject. */
export const SUBJECTS: readonly Subject[] = [
  kubectls,
  controllers,
  crds,
  create,
  read,
  watches,
  update,
  deletion,
  dryRun,
  statuses,
  mergePatch,
  jsonPatches,
  applies,
  badInput,
  builtins,
  cel,
  discovery,
  fieldValidation,
  http,
  managedFields,
  schemas,
  tables,
  webhooks,
];
