import { z } from 'zod';

const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const NAME_FORM = 'must be a DNS name: lower-case letters, digits and hyphens between them';
const MAX_PREFIX = 253;
/** Bytes of all annotations together, in keys and values; a limit of the API server. */
const MAX_ANNOTATIONS_BYTES = 256 * 1024;

/** An optional prefix (a DNS subdomain) and a name of at most 63 characters, as labels and annotations are keyed. */
function isQualifiedName(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash < 0) return LABEL_NAME.test(key);
  const prefix = key.slice(0, slash);
  return prefix.length <= MAX_PREFIX && LABEL_PREFIX.test(prefix) && LABEL_NAME.test(key.slice(slash + 1));
}

const Labels = z.record(z.string(), z.string()).superRefine((labels, context) => {
  const badKey = Object.keys(labels).find((key) => !isQualifiedName(key));
  if (badKey !== undefined)
    context.addIssue({ code: 'custom', message: `${show(badKey)} is no label key; ${KEY_FORM}` });
  const badValue = Object.values(labels).find((value) => !LABEL_VALUE.test(value));
  if (badValue === undefined) return;
  const message = `${show(badValue)} is no label value; use at most 63 letters, digits, -, _ and .`;
  context.addIssue({ code: 'custom', message });
});

const Annotations = z.record(z.string(), z.string()).superRefine((annotations, context) => {
  const badKey = Object.keys(annotations).find((key) => !isQualifiedName(key.toLowerCase()));
  if (badKey !== undefined) {
    context.addIssue({ code: 'custom', message: `${show(badKey)} is no annotation key; ${KEY_FORM}` });
  }
  const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  if (size <= MAX_ANNOTATIONS_BYTES) return;
  context.addIssue({ code: 'custom', message: `must be at most ${MAX_ANNOTATIONS_BYTES} bytes in all, are ${size}` });
});

const KEY_FORM = 'use letters, digits, -, _ and . with an optional DNS prefix and slash';

function show(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** `metav1.ObjectMeta` of a namespaced resource, as files and the API server have it. */
export const Metadata = z.strictObject({
  name: z.string().min(1).max(MAX_PREFIX).regex(LABEL_PREFIX, NAME_FORM),
  namespace: z
    .string()
    .min(1)
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, NAME_FORM)
    .optional(),
  generateName: z.string().max(253).optional(),
  uid: z.string().max(128).optional(),
  resourceVersion: z.string().max(64).optional(),
  generation: z.int().optional(),
  creationTimestamp: z.string().max(64).optional(),
  deletionTimestamp: z.string().max(64).optional(),
  deletionGracePeriodSeconds: z.int().optional(),
  labels: Labels.optional(),
  annotations: Annotations.optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z
    .array(
      z.strictObject({
        apiVersion: z.string(),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
        controller: z.boolean().optional(),
        blockOwnerDeletion: z.boolean().optional(),
      }),
    )
    .optional(),
  managedFields: z
    .array(
      z.strictObject({
        manager: z.string().optional(),
        operation: z.string().optional(),
        apiVersion: z.string().optional(),
        time: z.string().optional(),
        fieldsType: z.string().optional(),
        fieldsV1: z.unknown().optional(),
        subresource: z.string().optional(),
      }),
    )
    .optional(),
  selfLink: z.string().optional(),
});
export type Metadata = z.infer<typeof Metadata>;
