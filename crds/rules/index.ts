import { checkBasedOn } from './basedon.ts';
import { checkDeclaredStatus } from './declaredstatus.ts';
import { checkDuplicateIdentity } from './duplicateidentity.ts';
import type { Rule, RuleFacts, RuleViolation } from './facts.ts';
import { checkForeignNamespace } from './foreignnamespace.ts';
import { checkNoSeller } from './noseller.ts';
import { parseResource } from './parse.ts';
import { checkRepositoryHost } from './repositoryhost.ts';
import { checkReservedMetadata } from './reservedmetadata.ts';
import { checkSoldTerms } from './soldterms.ts';

export type { OwnerType, Rule, RuleFacts, RuleViolation } from './facts.ts';
export { type ParseError, type ParseResult, parseResource } from './parse.ts';
export { explainRepositoryHost } from './repositoryhost.ts';
export { computePlanRevision } from './revision.ts';
export { checkUpdate } from './update.ts';
export { renderPath } from './walk.ts';

const RULES: readonly Rule[] = [
  checkNoSeller,
  checkForeignNamespace,
  checkReservedMetadata,
  checkDeclaredStatus,
  checkDuplicateIdentity,
  checkBasedOn,
  checkSoldTerms,
  checkRepositoryHost,
];

/**
 * Everything that is wrong with a resource: its shape (rule `Schema`), or else the rules that need the surroundings. The same words wherever
 * it is asked. Never throws, whatever it is given.
 */
export function checkResource(input: unknown, facts: RuleFacts): readonly RuleViolation[] {
  const parsed = parseResource(input);
  if (!parsed.ok) return parsed.errors.map(({ segments, message }) => ({ rule: 'Schema', path: segments, message }));
  return RULES.flatMap((rule) => rule(parsed.value, facts));
}
