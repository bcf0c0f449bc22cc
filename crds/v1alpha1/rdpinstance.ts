import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { Deletion, DnsLabel, Metadata, statusFields } from './common.ts';

const Time = z.string().max(64);

export const RDPInstance = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('RDPInstance'),
  metadata: Metadata,
  spec: z.strictObject({
    plan: DnsLabel,
    image: DnsLabel,
    username: z.string().min(1).max(20).regex(/^[a-z][a-z0-9_-]*$/),
    power: z.enum(['Running', 'Stopped']).default('Running'),
    restartedAt: z.iso.datetime({ offset: true }).max(40).optional(),
    access: z
      .strictObject({
        type: z.enum(['LoadBalancer', 'NodePort', 'ClusterIP']).default('LoadBalancer'),
        allow: z.array(z.string().min(1).max(43)).max(64).optional(),
      })
      .default({ type: 'LoadBalancer' }),
    deletion: Deletion.default({ policy: 'Retain', graceDays: 7 }),
  }),
  status: z
    .strictObject({
      ...statusFields,
      origin: z.enum(['Git', 'Outside']).optional(),
      address: z.string().max(253).optional(),
      port: z.number().int().min(1).max(65_535).optional(),
      credentials: z.strictObject({ secretRef: z.strictObject({ name: z.string().max(253) }) }).optional(),
      power: z.enum(['Running', 'Stopped', 'Starting', 'Stopping']).optional(),
      plan: z.strictObject({ name: z.string().max(63), revision: z.string().max(64).optional() }).optional(),
      epoch: z
        .strictObject({
          vmiUID: z.string().max(64),
          startedAt: Time,
          firstHandshakeAt: Time.optional(),
          endedAt: Time.optional(),
          restartedAt: Time.optional(),
        })
        .optional(),
      timings: z
        .strictObject({
          orderedAt: Time.optional(),
          scheduledAt: Time.optional(),
          runningAt: Time.optional(),
          readyAt: Time.optional(),
        })
        .optional(),
    })
    .optional(),
});
export type RDPInstance = z.infer<typeof RDPInstance>;
