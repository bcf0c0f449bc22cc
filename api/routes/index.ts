import { buildDocumentRoutes } from '../openapi/routes.ts';
import type { Route } from '../route.ts';
import { buildAuditRoutes } from './audit.ts';
import { buildChangeRoutes } from './changes.ts';
import { buildCollectionRoutes } from './collections.ts';
import type { RoutesDeps } from './deps.ts';
import { buildDesktopRoutes } from './desktops.ts';
import { buildEventRoutes } from './events.ts';
import { buildKeyRoutes } from './keys.ts';
import { buildMemberRoutes } from './members.ts';
import { buildPasswordRoutes } from './passwords.ts';
import { buildSignupRoutes } from './signup.ts';
import { buildTenantRoutes } from './tenants.ts';
import { buildWebhookRoutes } from './webhooks.ts';

/** Every route of the public port. */
export function buildRoutes(deps: RoutesDeps): readonly Route[] {
  const routes = [
    ...buildTenantRoutes(deps),
    ...buildCollectionRoutes(deps),
    ...buildDesktopRoutes(deps),
    ...buildMemberRoutes(deps),
    ...buildChangeRoutes(deps),
    ...buildEventRoutes(deps),
    ...buildAuditRoutes(deps),
    ...buildKeyRoutes(deps),
    ...buildPasswordRoutes(deps),
    ...buildSignupRoutes(deps),
    ...buildWebhookRoutes(deps),
  ];
  return [...routes, ...buildDocumentRoutes(routes)];
}
