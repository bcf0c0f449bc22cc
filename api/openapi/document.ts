import type { Route } from '../route.ts';
import type { RoutesDeps } from '../routes/deps.ts';
import { buildRoutes } from '../routes/index.ts';
import { buildOpenApi } from './build.ts';

/** All routes as they are described; none of them can be called. */
export function describeRoutes(): readonly Route[] {
  return buildRoutes({} as RoutesDeps);
}

/** The text of `openapi.json`. */
export function renderOpenApi(): string {
  return `${JSON.stringify(buildOpenApi(describeRoutes()), null, 2)}\n`;
}
