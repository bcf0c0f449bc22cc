import { z } from 'zod';
import { API_VERSION } from '../../model/group.ts';
import { DateTime, Deletion, DnsLabel, DnsSubdomain, statusFields } from './common.ts';
import { Metadata } from './metadata.ts';
import { immutable, network, pattern, setOf, withRules } from './schema.ts';
import { RESERVED_USERNAMES } from './usernames.ts';

/** Windows computer names: 15 characters, not digits alone. */
const MAX_NAME = 15;
const NAME = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

const Username = immutable(
  withRules(pattern(/^[a-z][a-z0-9_-]*$/, 20, 'a lower-case letter, then lower-case letters, digits, - and _'), [
    {
      rule: `!(self in [${RESERVED_USERNAMES.map((name) => `'${name}'`).join(', ')}])`,
      message:
        "must not be an account or group of the operating system's own, such as root or administrator; choose another",
      check: (name) => !RESERVED_USERNAMES.includes(name),
    },
  ]),
  'is made on first boot and never changes; order another desktop instead',
);

export const Access = z.strictObject({
  type: z
    .enum(['LoadBalancer', 'NodePort', 'ClusterIP'])
    .default('LoadBalancer')
    .describe('How the desktop is reached.'),
  allow: setOf(network(), 64)
    .min(1)
    .optional()
    .describe('Networks that may connect; absent: anyone. An empty list is refused.'),
});
export type Access = z.infer<typeof Access>;

export const RDPInstanceSpec = z.strictObject({
  plan: DnsLabel.describe('A Plan of the seller that offers Desktop.'),
  image: DnsLabel.describe(
    'An image that the Plan allows. A disk is made from it once: another image is refused in status while the disk exists.',
  ),
  username: Username.describe('The account that is made on first boot; never changes. Its password is in a Secret.'),
  power: z
    .enum(['Running', 'Stopped'])
    .default('Running')
    .describe('Running: started, and left down when the guest shuts itself down. Stopped: off.'),
  restartedAt: DateTime.optional().describe(
    "A time: newer than the power epoch's start restarts the desktop, newer than its end starts it again.",
  ),
  access: Access.prefault({}).describe('Who reaches the desktop, and how.'),
  deletion: Deletion.prefault({}),
});
export type RDPInstanceSpec = z.infer<typeof RDPInstanceSpec>;

const Time = z.string().min(1).max(40).meta({ format: 'date-time' });

const Epoch = z
  .strictObject({
    vmiUID: z.string().min(1).max(64).describe('UID of the VirtualMachineInstance whose life it is.'),
    startedAt: Time,
    firstHandshakeAt: Time.optional().describe('When the desktop first answered RDP.'),
    endedAt: Time.optional(),
    restartedAt: Time.optional().describe('The restart that was asked for and is done.'),
  })
  .describe('The power epoch: the life of one VirtualMachineInstance.');

const Timings = z
  .strictObject({
    orderedAt: Time.optional(),
    scheduledAt: Time.optional(),
    runningAt: Time.optional(),
    readyAt: Time.optional(),
  })
  .describe('When the desktop got how far, in this power epoch.');

export const RDPInstanceStatus = z.strictObject({
  ...statusFields,
  origin: z.enum(['Git', 'Outside']).optional().describe('Outside: applied around Git.'),
  address: z
    .string()
    .max(253)
    .regex(/^[0-9A-Za-z.:-]+$/)
    .optional()
    .describe('IP address or host name to connect to.'),
  port: z.int().min(1).max(65_535).optional(),
  credentials: z
    .strictObject({ secretRef: z.strictObject({ name: DnsSubdomain }) })
    .optional()
    .describe('The Secret that holds user name and password.'),
  power: z.enum(['Running', 'Stopped', 'Starting', 'Stopping']).optional(),
  plan: z
    .strictObject({
      name: DnsLabel,
      revision: z
        .string()
        .max(64)
        .regex(/^[0-9a-f]+$/)
        .optional(),
    })
    .optional()
    .describe('The Plan that the desktop runs by.'),
  epoch: Epoch.optional(),
  timings: Timings.optional(),
});
export type RDPInstanceStatus = z.infer<typeof RDPInstanceStatus>;

export const RDPInstance = withRules(
  z.strictObject({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal('RDPInstance'),
    metadata: Metadata,
    spec: RDPInstanceSpec,
    status: RDPInstanceStatus.optional(),
  }),
  [
    {
      rule: `self.metadata.name.size() <= ${MAX_NAME} && self.metadata.name.matches('${NAME.source}')`,
      message: `must have at most ${MAX_NAME} characters, as Windows computer names do: a letter, then letters, digits and hyphens`,
      path: ['metadata', 'name'],
      check: ({ metadata: { name } }) => name.length <= MAX_NAME && NAME.test(name),
    },
  ],
).describe('A desktop: a virtual machine that answers RDP.');
export type RDPInstance = z.infer<typeof RDPInstance>;
