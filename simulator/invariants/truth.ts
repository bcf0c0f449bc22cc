import type { Check, Report } from './checker.ts';
import {
  annotationOf,
  at,
  DESKTOPS,
  INSTANCES,
  isOperator,
  isRecord,
  listAt,
  NAMESPACES,
  nameOf,
  namespaceOf,
  PATH,
  PLANS,
  QUOTAS,
  TENANTS,
  textAt,
  UNSEEN_MS,
  type World,
} from './live.ts';
import type { Change, Live } from './trail.ts';

const JUDGED: ReadonlySet<string> = new Set([TENANTS, PLANS, QUOTAS, DESKTOPS]);
/** Times of conditions and epochs are kept in whole seconds. */
const SECOND_MS = 1_000;
/** What two clocks that count as right may be apart. */
const APART_MS = 2_000;
/** From the look at the clock to the write that states it. */
const UNDERWAY_MS = 60_000;
/** Of each guest, the newest so many. */
const MOST_HANDSHAKES = 200;

/**
 * I8: status tells the truth. A desktop is Ready, and has a first handshake, only after the guest of this power epoch completed one; a
 * Tenant only when its namespace is there; `observedGeneration` is never ahead; a transition time changes when its status does, and only then. Times are those of the
 * world, whatever a machine takes for the present: what is billed is counted by them. A handshake is stated at the time of one that was, the end of an epoch at the
 * time at which its guest says that it finished, or at the present where it does not say so.
 */
export const createTruthCheck: Check = (report) => {
  const guests = new Map<string, Guest>();
  const guestOf = (uid: string): Guest => {
    const known = guests.get(uid) ?? { handshakes: [], finishedMs: undefined };
    guests.set(uid, known);
    return known;
  };
  return {
    handshake({ instanceUid, atMs }) {
      const { handshakes } = guestOf(instanceUid);
      handshakes.push(atMs);
      if (handshakes.length > MOST_HANDSHAKES) handshakes.shift();
    },
    change(change, world) {
      const { resource, actor, after } = change;
      if (resource === INSTANCES && after?.metadata.uid !== undefined)
        guestOf(after.metadata.uid).finishedMs ??= findFinish(after);
      if (!isOperator(actor) || !JUDGED.has(resource) || after === undefined) return;
      judgeGenerations(change, after, report);
      judgeTransitions(change, report);
      if (resource === DESKTOPS) judgeDesktop(change, after, world, guests, report);
      if (resource === TENANTS) judgeTenant(change, after, world, report);
    },
  };
};

/** What is known of a guest, by the UID of its instance. */
type Guest = { readonly handshakes: number[]; finishedMs: number | undefined };

function findFinish(guest: Live): number | undefined {
  const phase = textAt(guest, 'status', 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') return undefined;
  const transition = listAt(guest, 'status', 'phaseTransitionTimestamps').find((one) => textAt(one, 'phase') === phase);
  const finishedMs = Date.parse(textAt(transition, 'phaseTransitionTimestamp') ?? '');
  return Number.isNaN(finishedMs) ? undefined : finishedMs;
}

type Condition = {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration: number;
};

function conditionsOf(object: Live | undefined): readonly Condition[] {
  return listAt(object, 'status', 'conditions').filter(isRecord) as unknown as readonly Condition[];
}

function readyOf(object: Live | undefined): Condition | undefined {
  return conditionsOf(object).find(({ type }) => type === 'Ready');
}

function judgeGenerations(change: Change, after: Live, report: Report): void {
  const generation = after.metadata.generation ?? 0;
  const stated = [
    ['status.observedGeneration', at(after, 'status', 'observedGeneration')] as const,
    ...conditionsOf(after).map(({ type, observedGeneration }) => [`condition ${type}`, observedGeneration] as const),
  ];
  for (const [where, observed] of stated) {
    if (typeof observed === 'number' && observed > generation) {
      report('I8', change, `${where} says that generation ${observed} was seen, and there is only ${generation}`);
    }
  }
}

function judgeTransitions(change: Change, report: Report): void {
  const old = new Map(conditionsOf(change.before).map((condition) => [condition.type, condition]));
  for (const { type, status, lastTransitionTime } of conditionsOf(change.after)) {
    const was = old.get(type);
    const same = was?.lastTransitionTime === lastTransitionTime;
    if (was?.status !== status && !same && !isPresent(change, lastTransitionTime))
      report('I8', change, `condition ${type} became ${status} and is said to have done so at ${lastTransitionTime}`);
    if (was === undefined) continue;
    if (was.status === status && !same)
      report('I8', change, `condition ${type} stayed ${status} and got another transition time`);
    if (was.status === status || !same) continue;
    // Two changes within one second are one time.
    if (change.atMs - Date.parse(lastTransitionTime) > SECOND_MS) {
      report('I8', change, `condition ${type} became ${status} and kept its transition time ${lastTransitionTime}`);
    }
  }
}

function isPresent({ atMs }: Change, time: string): boolean {
  const aheadMs = Date.parse(time) - atMs;
  return aheadMs <= APART_MS && aheadMs >= -UNDERWAY_MS;
}

function judgeDesktop(
  change: Change,
  after: Live,
  world: World,
  guests: ReadonlyMap<string, Guest>,
  report: Report,
): void {
  const uid = textAt(after, 'status', 'epoch', 'vmiUID');
  const guest = uid === undefined ? undefined : guests.get(uid);
  const handshakes = guest?.handshakes ?? [];
  const claimed = textAt(after, 'status', 'epoch', 'firstHandshakeAt');
  const before = textAt(change.before, 'status', 'epoch', 'firstHandshakeAt');
  const isSameEpoch = uid === textAt(change.before, 'status', 'epoch', 'vmiUID');
  const isFresh = claimed !== undefined && (claimed !== before || !isSameEpoch);
  if (isFresh && !handshakes.some((atMs) => Math.abs(Date.parse(claimed) - atMs) <= APART_MS))
    report('I8', change, `it claims a handshake at ${claimed} that its guest had not completed`);
  const child = world.get(INSTANCES, `${namespaceOf(change.key)}/rdp-${nameOf(change.key)}`);
  judgeEnd(change, after, { guest, isThere: uid !== undefined && child?.metadata.uid === uid }, report);
  if (readyOf(after)?.status !== 'True') return;
  // An end is recorded at once, also by a pass that cannot say more, and in an order that is being removed.
  if (isSameEpoch && readyOf(change.before)?.status === 'True') return;
  if (claimed === undefined || uid === undefined) {
    report('I8', change, 'it became Ready in a power epoch without a handshake');
    return;
  }
  if (handshakes.length === 0)
    report('I8', change, 'it became Ready and the guest of this power epoch never completed a handshake');
  if (textAt(after, 'status', 'epoch', 'endedAt') !== undefined)
    report('I8', change, 'it became Ready in a power epoch that ended');
  if (textAt(after, 'status', 'address') === undefined) report('I8', change, 'it became Ready without an address');
  if (child === undefined) report('I8', change, 'it became Ready without a guest');
}

/**
 * A power epoch ends after it began and after its guest answered; when its guest says, and now where it is gone and says nothing, or said so too late to be
 * seen. Of a guest that never answered, for which nobody pays, an old view may tell the end.
 */
function judgeEnd(
  change: Change,
  after: Live,
  { guest, isThere }: { readonly guest: Guest | undefined; readonly isThere: boolean },
  report: Report,
): void {
  const ended = textAt(after, 'status', 'epoch', 'endedAt');
  if (ended === undefined || ended === textAt(change.before, 'status', 'epoch', 'endedAt')) return;
  const times = ['startedAt', 'firstHandshakeAt'].map((name) => textAt(after, 'status', 'epoch', name) ?? '');
  const isEarly = times.some((time) => Date.parse(ended) + SECOND_MS + APART_MS < Date.parse(time));
  const finishedMs = guest?.finishedMs;
  const hasAnswered = textAt(after, 'status', 'epoch', 'firstHandshakeAt') !== undefined;
  const isAsFinished = finishedMs !== undefined && Math.abs(Date.parse(ended) - finishedMs) <= APART_MS;
  const isSeen = isThere && hasAnswered && finishedMs !== undefined && change.atMs - finishedMs > UNSEEN_MS;
  if (isEarly || (!isAsFinished && (isSeen || !isPresent(change, ended))))
    report('I8', change, `it says that its power epoch ended at ${ended}`);
}

function judgeTenant(change: Change, after: Live, world: World, report: Report): void {
  if (readyOf(after)?.status !== 'True' || readyOf(change.before)?.status === 'True') return;
  const namespace = textAt(after, 'status', 'namespace') ?? '';
  const path = annotationOf(world.get(NAMESPACES, namespace), PATH);
  if (path === undefined || path !== textAt(after, 'status', 'path')) {
    report('I8', change, `it became Ready and namespace ${namespace} is not there as its own`);
  }
}
