import type { Rule } from './facts.ts';

/** Status says what was observed, so nobody declares it. */
export const checkDeclaredStatus: Rule = ({ status }, { isDeclared }) => {
  if (isDeclared !== true || status === undefined) return [];
  return [{ rule: 'DeclaredStatus', path: ['status'], message: 'is what was observed; remove it' }];
};
