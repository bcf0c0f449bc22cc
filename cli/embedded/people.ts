/** One of the provider's staff on an embedded platform, on this machine only. */
export const PROVIDER = 'provider';
