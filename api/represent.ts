import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Change } from '../gitops/journal.ts';
import { tenantPath } from '../model/names.ts';
import type { Collection, Live } from './collections.ts';
import { type Declared, renderCanonical } from './overlay.ts';
import { type Place, PROVIDER } from './place.ts';

/** A resource as text, and the entity tag of what it declares. */
export type Represented = { readonly text: string; readonly etag: string };

const PendingSchema = z.strictObject({
  change: z.string(),
  type: z.enum(['Create', 'Edit', 'Delete']),
  state: z.string(),
});

/** What the description says of a collection's resources. */
export function representationSchema(collection: Collection): z.ZodObject {
  const known = schemas.get(collection);
  if (known !== undefined) return known;
  const made = buildSchema(collection);
  schemas.set(collection, made);
  return made;
}

const schemas = new Map<Collection, z.ZodObject>();

function buildSchema({ word, spec, status }: Collection) {
  return z.strictObject({
    name: z.string(),
    tenant: z
      .string()
      .describe('Path of the tenant that it belongs to: for a Tenant, its seller. `-` is the provider.'),
    ...(word === 'tenants' ? { path: z.string().describe('Path of the Tenant itself.') } : {}),
    spec: spec.describe(
      'As declared: what is live, with changes laid over it that were accepted and have not arrived yet.',
    ),
    status: status.optional().describe('As the operator observed it; absent until it did.'),
    uid: z.string().optional(),
    createdAt: z.string().optional(),
    removing: z.boolean().optional().describe('It is being removed.'),
    pending: z
      .array(PendingSchema)
      .optional()
      .describe('Changes of it that have not ended; absent when there are none.'),
  });
}

/** Texts of live objects without open changes: the same object is the same text. */
const rendered = new WeakMap<Live, Represented>();

export function represent(collection: Collection, place: Place, declared: Declared): Represented {
  const { live, open } = declared;
  if (live === undefined || open.length > 0) return render(collection, place, declared);
  const known = rendered.get(live);
  if (known !== undefined) return known;
  const made = render(collection, place, declared);
  rendered.set(live, made);
  return made;
}

function render(collection: Collection, place: Place, { name, live, spec, removing, open }: Declared): Represented {
  const text = JSON.stringify({
    name,
    tenant: place.path ?? PROVIDER,
    ...(collection.word === 'tenants' ? { path: tenantPath(place.path, name) } : {}),
    spec,
    status: live?.status,
    uid: live?.metadata.uid,
    createdAt: live?.metadata.creationTimestamp,
    ...(removing ? { removing } : {}),
    ...(open.length === 0 ? {} : { pending: open.map(renderPending) }),
  });
  return { text, etag: computeEtag(collection, place, name, renderCanonical(spec)) };
}

function renderPending({ id, intent, state }: Change) {
  return { change: id, type: intent.type, state };
}

/** A strong tag over what is declared: status and what only the cluster knows change without it. */
function computeEtag({ kind }: Collection, { namespace }: Place, name: string, canonical: string): string {
  const hash = createHash('sha256').update(`${kind}/${namespace}/${name}\n${canonical}`).digest('base64url');
  return `"${hash.slice(0, 27)}"`;
}
