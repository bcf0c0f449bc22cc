import type { RenderOptions } from '../../gitops/render.ts';
import type { ApiConfig } from '../config.ts';

/**
 * What new files begin with: the line by which editors find the schema of their kind. A folder is one of the fleet, so its address is relative to the file and good in every
 * clone; it is not in tenants' own repositories.
 */
export function chooseRendering(schemas: ApiConfig['git']['editorSchemas'], isOwn: boolean): RenderOptions | undefined {
  const isAddress = schemas?.startsWith('https://') === true;
  if (schemas === null || (isOwn && !isAddress)) return undefined;
  return {
    schemaAddress: (kind, path) => {
      const root = isAddress ? '' : '../'.repeat(path.split('/').length - 1);
      return `${root}${schemas}/${kind.toLowerCase()}.schema.json`;
    },
  };
}
