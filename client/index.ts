export {
  type Answer,
  type CallOptions,
  type Client,
  type ClientOptions,
  createClient,
  MADE_ANEW,
  parseServer,
} from './client.ts';
export { type ClientDeps, REAL_DEPS } from './deps.ts';
export { ApiError, type FieldProblem, UnreachableError } from './errors.ts';
export { parseEvents, type ServerEvent } from './events.ts';
export { listAll, type Page, takeAll } from './pages.ts';
export type { Stream } from './stream.ts';
export type { Input, Operation, Output } from './typed.ts';
export type { components, paths } from './types.gen.ts';
export { type Change, changeOf, type WaitOptions, WaitTimeoutError, waitForChange } from './wait.ts';
