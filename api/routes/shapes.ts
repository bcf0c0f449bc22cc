import { z } from 'zod';
import { TENANT_NAME } from '../../crds/v1alpha1/common.ts';
import { ChangeSchema } from '../change.ts';
import { PathParam } from '../place.ts';
import { TAGS } from '../preconditions.ts';
import type { RouteDefinition } from '../route.ts';
import { JsonObject } from './resources.ts';

type Answers = RouteDefinition<z.ZodType, z.ZodType, z.ZodType>['answers'];

export const InPlace = z.strictObject({ path: PathParam });

/** A name as Kubernetes has it; what else a kind wants of its names is a rule's to say. */
export const Name = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
  .describe('Name of the resource.');

export const ItemInPlace = z.strictObject({ path: PathParam, name: Name });

/** A tenant itself: the provider is none. */
export const TenantInPlace = z.strictObject({
  path: PathParam.refine((path) => path.split('--').every((name) => TENANT_NAME.test(name))),
});

export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Items a page.'),
  cursor: z.string().min(1).max(2_048).optional().describe('`next` of the page before.'),
});

/** A page of a list. */
export function pageSchema(item: z.ZodType) {
  return z.strictObject({
    items: z.array(item),
    next: z.string().optional().describe('Cursor of the next page; absent on the last.'),
  });
}

/** What is left to the rules is only a map here; `described` says what is meant. */
export const CreateBody = z.strictObject({ name: z.string().min(1).max(253), spec: JsonObject });
export const ReplaceBody = z.strictObject({ spec: JsonObject });
export const PatchBody = z.strictObject({ spec: JsonObject });
/** Of any JSON, whose own schema refers to itself; a description has no place for that inside of an operation. */
export const PatchShape = z.strictObject({ spec: z.record(z.string(), z.unknown()) });

export const ACCEPTED: Answers = {
  202: {
    description: 'Accepted: the change, which `Location` follows. It survives us from here on.',
    schema: ChangeSchema,
  },
};

/** With the form that is taken, as far as one expression says it. */
export const IDEMPOTENCY = {
  'Idempotency-Key': z
    .string()
    .regex(/^[!#-~][!-~]{0,254}$/)
    .describe('Makes a repetition within seven days the same request: it gets the change of the first.'),
};
const Tags = z.string().regex(TAGS);
export const MATCH = {
  'If-Match': Tags.describe('The `ETag` that was seen; with another one there now, nothing is done (412).'),
};
export const NONE_MATCH = {
  'If-None-Match': Tags.describe('The `ETag` that is had already: answered by 304 while it is the one.'),
};
