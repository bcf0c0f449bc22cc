import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { AmountSet, LimitSet, Metadata, statusFields } from './common.ts';

export const Quota = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Quota'),
  metadata: Metadata,
  spec: z.strictObject({ hard: LimitSet }),
  status: z
    .strictObject({
      ...statusFields,
      hard: AmountSet.optional(),
      used: AmountSet.optional(),
      allotted: AmountSet.optional(),
    })
    .optional(),
});
export type Quota = z.infer<typeof Quota>;
