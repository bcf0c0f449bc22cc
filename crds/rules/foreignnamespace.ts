import type { Rule } from './facts.ts';

/** A resource says the namespace that it lives in, or none. */
export const checkForeignNamespace: Rule = ({ metadata: { namespace } }, facts) => {
  if (namespace === undefined || namespace === facts.namespace) return [];
  const message = `is ${namespace}, but the resource lives in ${facts.namespace}; leave it out, or move the resource`;
  return [{ rule: 'ForeignNamespace', path: ['metadata', 'namespace'], message }];
};
