/** One measurement to make: the repetition it belongs to, and of whom. */
export type Turn<T> = { readonly repetition: number; readonly contender: T };

/**
 * Every contender once a repetition, in the order A B ... B A ...: what drifts slowly (heat, caches, a growing log) then
 * weighs the same on all of them.
 */
export function computeTurns<T>(contenders: readonly T[], repetitions: number): readonly Turn<T>[] {
  return Array.from({ length: repetitions }, (_, repetition) => {
    const order = repetition % 2 === 0 ? contenders : contenders.toReversed();
    return order.map((contender) => ({ repetition, contender }));
  }).flat();
}
