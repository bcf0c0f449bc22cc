/** The API group of every kind that Sublet defines, and of its labels and annotations. Stated here and nowhere else. */
export const GROUP = 'sublet.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}` as const;
