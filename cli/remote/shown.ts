import type { Column } from '../output/table.ts';
import type { Desktop, Plan, Quota, Tenant } from './apis.ts';
import { renderAge, type Shown } from './print.ts';

type Conditions = readonly {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}[];
type Common = {
  readonly name: string;
  readonly createdAt?: string | undefined;
  readonly pending?: readonly { readonly type: string; readonly state: string }[] | undefined;
  readonly status?: { readonly conditions?: Conditions | undefined } | undefined;
};

/** Columns of every resource: whether it is ready, what is on its way, its age. */
function commonColumns<T extends Common>(nowMs: () => number): readonly Column<T>[] {
  return [
    { title: 'READY', cell: (row) => readyOf(row)?.status ?? 'Unknown' },
    { title: 'REASON', cell: (row) => readyOf(row)?.reason ?? '' },
    { title: 'PENDING', cell: ({ pending = [] }) => pending.map(({ type, state }) => `${type} ${state}`).join(', ') },
    { title: 'AGE', cell: ({ createdAt }) => renderAge(createdAt, nowMs()) },
    { title: 'MESSAGE', wide: true, cell: (row) => readyOf(row)?.message ?? '' },
  ];
}

function readyOf({ status }: Common) {
  return status?.conditions?.find(({ type }) => type === 'Ready');
}

export const TENANT_SHOWN: Shown<Tenant> = {
  name: ({ path }) => `tenant/${path}`,
  none: 'No tenants.',
  columns: [
    { title: 'PATH', cell: ({ path }) => path },
    { title: 'TYPE', cell: ({ spec }) => spec.type ?? 'Customer' },
    { title: 'PLAN', cell: ({ spec }) => spec.plan },
    ...commonColumns<Tenant>(Date.now),
    { title: 'NAMESPACE', wide: true, cell: ({ status }) => status?.namespace ?? '' },
    {
      title: 'SUSPENDED',
      wide: true,
      cell: ({ spec }) => (spec.suspensions ?? []).map(({ reason }) => reason).join(','),
    },
  ],
};

export const PLAN_SHOWN: Shown<Plan> = {
  name: ({ name }) => `plan/${name}`,
  none: 'No plans.',
  columns: [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'OFFERS', cell: ({ spec }) => spec.offers },
    { title: 'BASED ON', cell: ({ spec }) => spec.basedOn ?? '' },
    { title: 'PRICE', cell: ({ spec }) => renderPrice(spec) },
    ...commonColumns<Plan>(Date.now),
    { title: 'TITLE', wide: true, cell: ({ spec }) => spec.title },
  ],
};

export const QUOTA_SHOWN: Shown<Quota> = {
  name: ({ name }) => `quota/${name}`,
  none: 'No quotas.',
  columns: [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'USED OF HARD', cell: ({ spec, status }) => renderLimits(spec.hard, status?.used) },
    ...commonColumns<Quota>(Date.now),
  ],
};

export const DESKTOP_SHOWN: Shown<Desktop> = {
  name: ({ name }) => `desktop/${name}`,
  none: 'No desktops.',
  columns: [
    { title: 'NAME', cell: ({ name }) => name },
    { title: 'PLAN', cell: ({ spec }) => spec.plan },
    { title: 'IMAGE', cell: ({ spec }) => spec.image },
    { title: 'POWER', cell: ({ spec, status }) => status?.power ?? spec.power ?? 'Running' },
    { title: 'ADDRESS', cell: ({ status }) => status?.address ?? '' },
    ...commonColumns<Desktop>(Date.now),
    { title: 'USERNAME', wide: true, cell: ({ spec }) => spec.username },
  ],
};

/** Recurring items as `28.00+2.00 USD`; what is per seat or buyer, or metered, is named. */
function renderPrice({ price = [], currency }: Plan['spec']): string {
  if (price.length === 0) return 'free';
  const items = price.map(({ per, recurring, name }) =>
    recurring === undefined ? name : `${recurring.amount}${per === 'Resource' ? '' : `/${per.toLowerCase()}`}`,
  );
  return `${items.join('+')} ${currency}`;
}

function renderLimits(hard: Readonly<Record<string, unknown>>, used: Readonly<Record<string, unknown>> = {}): string {
  return Object.entries(hard)
    .map(([name, limit]) => `${name} ${used[name] ?? 0}/${limit}`)
    .join(', ');
}
