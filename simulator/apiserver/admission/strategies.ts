import type { Strategy } from '../kinds.ts';
import { type ApiObject, objectAt, withMeta } from '../object.ts';
import { type FieldError, forbidden, keyPath } from '../schema/fielderror.ts';
import { equalJson } from '../schema/json.ts';
import { countsObjects } from './quotacount.ts';
import { defaultConfiguration, validateConfiguration } from './webhooks/configuration.ts';

/** A kind's strategy with defaults and rules of a `ValidatingWebhookConfiguration`. */
export function withWebhookRules(strategy: Strategy): Strategy {
  return {
    ...withRules(strategy, validateConfiguration),
    prepareForCreate: (object) => defaultConfiguration(strategy.prepareForCreate(object)),
    prepareForUpdate: (object, old) => {
      const next = defaultConfiguration(strategy.prepareForUpdate(object, old));
      if (equalJson(next.webhooks, old.webhooks)) return next;
      return withMeta(next, { generation: (old.metadata.generation ?? 0) + 1 });
    },
  };
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
  return withRules(strategy, (object) =>
    Object.keys(objectAt(objectAt(object, 'spec'), 'hard'))
      .filter((name) => !countsObjects(name))
      .map((name) => forbidden(keyPath('spec.hard', name), 'the embedded API server limits counts of objects only')),
  );
}

function withRules(strategy: Strategy, rules: (object: ApiObject) => readonly FieldError[]): Strategy {
  return {
    ...strategy,
    validate: (object) => [...strategy.validate(object), ...rules(object)],
    validateUpdate: (object, old) => [...strategy.validateUpdate(object, old), ...rules(object)],
  };
}
