import { parseQuantityMilli, renderQuantityMilli } from '../../../kube/quantity.ts';
import type { Strategy } from '../kinds.ts';
import { checkLabelKey } from '../names.ts';
import { type ApiObject, objectAt } from '../object.ts';
import { type FieldError, forbidden, invalid, keyPath } from '../schema/fielderror.ts';
import { countsObjects } from './quotacount.ts';
import { validateConfiguration } from './webhooks/configuration.ts';

/** A kind's strategy with the rules of a `ValidatingWebhookConfiguration`, which tell of a name that is there twice in their own words. */
export function withWebhookRules(strategy: Strategy): Strategy {
  const isTold = ({ type, field }: FieldError): boolean =>
    type === 'FieldValueDuplicate' && /^webhooks\[\d+\]$/.test(field);
  const untold = (errors: readonly FieldError[]) => errors.filter((error) => !isTold(error));
  return withRules(
    {
      ...strategy,
      validate: (object) => untold(strategy.validate(object)),
      validateUpdate: (object, old) => untold(strategy.validateUpdate(object, old)),
    },
    validateConfiguration,
  );
}

/** A `MutatingWebhookConfiguration` that names webhooks is refused: they would never be called. */
export function withoutMutatingWebhooks(strategy: Strategy): Strategy {
  return withRules(strategy, ({ webhooks }) =>
    Array.isArray(webhooks) && webhooks.length > 0
      ? [forbidden('webhooks', 'the embedded API server calls no mutating webhooks')]
      : [],
  );
}

/** A `ResourceQuota` that limits anything but counts of objects is refused: nothing would hold it. */
export function withQuotaRules(strategy: Strategy): Strategy {
  return withRules(strategy, (object) => {
    const spec = objectAt(object, 'spec');
    const limits = Object.entries(objectAt(spec, 'hard'));
    const scoped = ['scopes', 'scopeSelector'].filter((member) => spec[member] !== undefined);
    return [
      ...limits.flatMap(([name, limit]) => checkLimit(name, limit, keyPath('spec.hard', name))),
      ...scoped.map((member) => forbidden(`spec.${member}`, 'the embedded API server counts all objects of a kind')),
    ];
  });
}

function checkLimit(name: string, limit: unknown, at: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const isQualified = name.includes('/');
  if (!isQualified && !STANDARD.test(name)) errors.push(invalid(at, name, 'must be a standard resource for quota'));
  errors.push(...checkLabelKey(name).map((detail) => invalid(at, name, detail)));
  const milli = parseQuantityMilli(String(limit));
  if (milli < 0n) errors.push(invalid(at, renderQuantityMilli(milli), 'must be greater than or equal to 0'));
  else if (milli % 1_000n !== 0n && countsObjects(name)) {
    errors.push(invalid(at, renderQuantityMilli(milli), 'must be an integer'));
  }
  if (errors.length > 0 || countsObjects(name)) return errors;
  return [forbidden(at, 'the embedded API server limits counts of objects only')];
}

/** Names without a group that a quota of Kubernetes knows. */
const STANDARD =
  /^(cpu|memory|ephemeral-storage|pods|configmaps|persistentvolumeclaims|replicationcontrollers|resourcequotas|secrets|services|services\.nodeports|services\.loadbalancers|(requests|limits)\.(cpu|memory|ephemeral-storage)|requests\.storage|(requests\.)?hugepages-.+)$/;

function withRules(strategy: Strategy, rules: (object: ApiObject) => readonly FieldError[]): Strategy {
  return {
    ...strategy,
    validate: (object) => [...strategy.validate(object), ...rules(object)],
    validateUpdate: (object, old) => [...strategy.validateUpdate(object, old), ...rules(object)],
  };
}
