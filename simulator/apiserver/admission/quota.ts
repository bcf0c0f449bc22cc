import { type AdmissionHook, type AdmissionRequest, groupResource } from '../kinds.ts';
import { forbidden } from '../status.ts';
import { computeCharge, quotaNames, type ResourceQuota } from './quotacount.ts';

export type QuotaDeps = {
  /** The ResourceQuotas of a namespace, in the order of their names. */
  readonly quotas: (namespace: string) => readonly ResourceQuota[];
  /** Replaces a quota's status under the server's own name. Throws, or rejects with, `ApiError`. */
  readonly updateStatus: (quota: ResourceQuota) => void | Promise<void>;
};

/**
 * The admission plug-in ResourceQuota, for counts of objects: refuses what would exceed one of the quotas, and otherwise adds it to the
 * `status.used` of each. A dry run adds nothing. To be the last hook: what is charged and then not stored stays charged until the next count.
 */
export function createQuotaAdmission(deps: QuotaDeps): AdmissionHook {
  return (request) => {
    const { kind, operation, subresource } = request;
    if (operation !== 'CREATE' || subresource !== undefined || quotaNames(kind).length === 0) return undefined;
    const charged = chargeAll(deps.quotas(request.namespace), request);
    return request.dryRun ? undefined : writeAll(deps, charged, 0);
  };
}

/** The quotas that count the object, each with it. Throws `ApiError`. */
function chargeAll(quotas: readonly ResourceQuota[], request: AdmissionRequest): readonly ResourceQuota[] {
  const { kind } = request;
  return quotas.flatMap((quota) => {
    const charge = computeCharge(quota, kind);
    if (charge === undefined) return [];
    if ('refusal' in charge) throw forbidden(groupResource(kind), nameOf(request), charge.refusal);
    return { ...quota, status: { ...quota.status, used: charge.used } };
  });
}

function nameOf({ name, object }: AdmissionRequest): string {
  return name || object?.metadata.generateName || 'Unknown';
}

/** One after the other; synchronous as long as the writes are. */
function writeAll(deps: QuotaDeps, quotas: readonly ResourceQuota[], from: number): void | Promise<void> {
  for (let index = from; index < quotas.length; index += 1) {
    const quota = quotas[index];
    const written = quota && deps.updateStatus(quota);
    if (written instanceof Promise) return written.then(() => writeAll(deps, quotas, index + 1));
  }
}
