import { resolvePlan } from '../../model/planlookup.ts';
import type { Rule } from './facts.ts';

/** What a Plan sells, it can buy: the Plan that it is based on exists, is of its kind and currency, and gives as much. */
export const checkSoldTerms: Rule = (resource, { prices, namespace }) => {
  if (resource.kind !== 'Plan' || prices === undefined || resource.spec.basedOn === undefined) return [];
  const own = `${namespace}/${resource.metadata.name}`;
  const plans = { get: (key: string) => (key === own ? resource : prices.plans.get(key)) };
  const resolved = resolvePlan(plans, prices.seller, resource.metadata.name);
  if (resolved.ok) return [];
  const { reason, path, message } = resolved.problem;
  return [{ rule: reason, path, message }];
};
