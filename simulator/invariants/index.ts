export { type Checker, checkTrail, createChecker } from './checker.ts';
export { compareStates, normaliseState } from './stable.ts';
export {
  type Actor,
  type Change,
  type Handshake,
  INVARIANTS,
  type InvariantName,
  type Live,
  type Mark,
  type Repository,
  type RequestAnswered,
  type RequestSent,
  renderViolation,
  type TrailEvent,
  type Verb,
  type Violation,
} from './trail.ts';
