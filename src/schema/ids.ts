import { z } from 'zod';

/** Ids are whole numbers of their own kind: a run's id never passes for a delivery's. */
declare const kind: unique symbol;
type Id<Kind extends string> = number & { readonly [kind]: Kind };

export type RunId = Id<'run'>;
export type DeliveryId = Id<'delivery'>;

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) > 0;

const runId = z.custom<RunId>(isId, 'not a run id');
const deliveryId = z.custom<DeliveryId>(isId, 'not a delivery id');

/** A run's id as the database returned it. */
export const toRunId = (value: number): RunId => runId.parse(value);
/** A delivery's id as the database returned it, or as someone typed it (then a ZodError tells that it is none). */
export const toDeliveryId = (value: number): DeliveryId => deliveryId.parse(value);
