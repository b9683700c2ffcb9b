import { PopshareError } from '../schema/errors.ts';

/** The version of a resource as its ETag (RFC 9110, section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The version that a request has seen, from its If-Match.
 *
 * @throws PRECONDITION_REQUIRED without one (RFC 6585, section 3), or when it is no ETag of ours
 */
export function versionOf(ifMatch: string | undefined): number {
  const version = /^"(\d{1,9})"$/.exec(ifMatch ?? '')?.[1];
  if (version === undefined)
    throw new PopshareError('PRECONDITION_REQUIRED', 'If-Match is missing or no ETag of this resource');
  return Number(version);
}
