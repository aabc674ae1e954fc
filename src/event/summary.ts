import { isJsonObject, type JsonObject } from "./json";

/** What an event is about, for `msg.radaro`. */
export interface EventSummary {
  eventType: string | null;
  /** Keys of `new_values` in their order; empty where there are none. */
  changed: string[];
  orderId: unknown;
  /** The merchant's own number of the job: of a deleted one, what it was before Radaro renamed it. */
  externalId: unknown;
}

/** Where an event can carry its job, by topic: a job event, a job checklist, a concatenated job. */
const jobHolders = ["order_info", "job_info", "concatenated_order_info"] as const;

/**
 * Says what an event is about. Never throws, so that it can describe an event with problems too.
 *
 * @param event an event, also one with fields of a wrong type
 */
export function summarise(event: JsonObject): EventSummary {
  return {
    eventType: typeof event.event_type === "string" ? event.event_type : null,
    changed: isJsonObject(event.new_values) ? Object.keys(event.new_values) : [],
    orderId: ofTheJob(event, "order_id"),
    externalId: beforeDeletion(ofTheJob(event, "external_id")),
  };
}

/** What Radaro puts behind a job's external id as it deletes the job (observed): `-deleted-<ISO time>`. */
const deletedSuffix = /-deleted-\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?$/;

/**
 * The external id that the merchant knows. Every event of a deleted job can have the other one, as
 * the job is shown as it is when the event is sent.
 */
function beforeDeletion(externalId: unknown): unknown {
  return typeof externalId === "string" ? externalId.replace(deletedSuffix, "") : externalId;
}

/** What people call an event's job: its title, and its customer's name; `null` where there is none. */
export function describeJob(event: JsonObject): { title: string | null; customer: string | null } {
  const customer = ofTheJob(event, "customer");
  return {
    title: textOr(ofTheJob(event, "title")),
    customer: isJsonObject(customer) ? textOr(customer.name) : null,
  };
}

/** Whom to ring and where to go: the customer's telephone number, and the address of the delivery. */
export function contactOf(event: JsonObject): { phone: string | null; address: string | null } {
  const [customer, address] = [ofTheJob(event, "customer"), ofTheJob(event, "deliver_address")];
  return {
    phone: isJsonObject(customer) ? textOr(customer.phone) : null,
    address: isJsonObject(address) ? textOr(address.address) : null,
  };
}

const textOr = (value: unknown) => (typeof value === "string" && value !== "" ? value : null);

type JobField = "order_id" | "external_id" | "title" | "customer" | "deliver_address";

function ofTheJob(event: JsonObject, field: JobField): unknown {
  for (const holder of jobHolders) {
    const job = event[holder];
    if (isJsonObject(job) && job[field] != null) return job[field];
  }
  return event[field] ?? null;
}
