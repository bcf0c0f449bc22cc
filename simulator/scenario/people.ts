import { changePlan, orderByKubectl, removeDesktop, restartDesktop, shutGuestDown, stopDesktop } from './desktops.ts';
import { breakFolder, exceedQuota, orderMissingImage, orderUnknownPlan } from './mistakes.ts';
import type { Deed } from './story.ts';
import { holdTenant, removeTenant, suspendTenant } from './tenants.ts';

/** What people do once their desktops are there; the numbers say how often. */
export const DEEDS: readonly (readonly [weight: number, deed: Deed])[] = [
  [30, stopDesktop],
  [14, restartDesktop],
  [8, shutGuestDown],
  [8, changePlan],
  [6, removeDesktop],
  [5, suspendTenant],
  [3, holdTenant],
  [3, removeTenant],
  [3, breakFolder],
  [3, orderUnknownPlan],
  [2, orderMissingImage],
  [2, exceedQuota],
  [4, orderByKubectl],
];
