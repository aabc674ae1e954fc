/**
 * What Radaro can send, with the names that a manager sees in Radaro: written down once, for the
 * runtime, the editor, the samples and the tests.
 *
 * Source of every entry: Radaro's public pages on webhooks and jobs, and what was observed of the
 * sender. The lists name what is known. They never decide what is let through: Radaro may send a
 * topic, a field or a status that is not here, and it is handed on all the same.
 */

/** How the values of a field look, so that the editor can offer a fitting input. */
export type FieldType = "status" | "boolean" | "number" | "time" | "text" | "list" | "object";

/** Topics by the group that the editor shows them in. */
export const topicGroups = {
  job: "Jobs",
  checklist: "Checklists",
  optimisation: "Route optimisation",
  other: "Other",
} as const;

/** The event's `topic`. */
export const topics = {
  "job.status_changed": { name: "Job created, status changed or rated", group: "job" },
  "job.changed": { name: "Job deadline changed", group: "job" },
  "job.deleted": { name: "Job deleted", group: "job" },
  "job.completion_codes_accepted": { name: "Completion codes given", group: "job" },
  "job.barcodes_scanned": { name: "Barcodes scanned at the warehouse", group: "job" },
  "job.barcodes_scanned_upon_delivery": { name: "Barcodes scanned upon delivery", group: "job" },
  "job.cargoes_changed": { name: "Cargo changed", group: "job" },
  "job.uploaded_confirmation_document": {
    name: "Confirmation document attached",
    group: "job",
  },
  "checklist.start_of_day_checklist_passed": {
    name: "Start of day checklist passed",
    group: "checklist",
  },
  "checklist.end_of_day_checklist_passed": {
    name: "End of day checklist passed",
    group: "checklist",
  },
  "checklist.job_checklist_passed": { name: "Job checklist passed", group: "checklist" },
  "checklist.job_checklist_confirmation": { name: "Job checklist confirmed", group: "checklist" },
  "optimisation.completed": { name: "Route optimisation completed", group: "optimisation" },
  "optimisation.deleted": { name: "Route optimisation deleted", group: "optimisation" },
  "concatenated_order.created": { name: "Concatenated job created", group: "other" },
} as const satisfies Record<string, { name: string; group: keyof typeof topicGroups }>;

/** The event's `event_type`. */
export const eventTypes = {
  created: "Created",
  updated: "Updated",
  deleted: "Deleted",
} as const;

/** Keys of `new_values` and `old_values`: those that were seen there, and other plain fields of the job. */
export const fields = {
  status: { name: "Status", type: "status" },
  is_confirmed_by_customer: { name: "Confirmed or rated by the customer", type: "boolean" },
  deliver_before: { name: "Deadline", type: "time" },
  completion_codes: { name: "Completion codes", type: "list" },
  completion_comment: { name: "Completion comment", type: "text" },
  barcodes: { name: "Barcodes", type: "list" },
  cargoes: { name: "Cargo", type: "object" },
  order_confirmation_documents: { name: "Confirmation documents", type: "list" },
  driver: { name: "Driver", type: "number" },
  description: { name: "Description", type: "text" },
  title: { name: "Title", type: "text" },
  comment: { name: "Comment", type: "text" },
  external_id: { name: "External id", type: "text" },
  deliver_after: { name: "Delivery not before", type: "time" },
  pickup_after: { name: "Pickup not before", type: "time" },
  pickup_before: { name: "Pickup deadline", type: "time" },
} as const satisfies Record<string, { name: string; type: FieldType }>;

/**
 * What a rule may ask of the event's job, by the way to it in `order_info`. The job's `status` is not
 * here: it is what it is when the event is sent, and not what has changed.
 */
export const jobFields = {
  rating: { name: "Rating", type: "number", neverChanges: true },
  customer_comment: { name: "Customer's comment", type: "text", neverChanges: true },
  merchant: { name: "Merchant's number", type: "number" },
  driver: { name: "Driver's number", type: "number" },
  "manager.full_name": { name: "Manager's name", type: "text" },
  "manager.email": { name: "Manager's email", type: "text" },
  order_id: { name: "Job number", type: "number" },
  external_id: { name: "External id", type: "text" },
  title: { name: "Title", type: "text" },
  description: { name: "Description", type: "text" },
  comment: { name: "Comment", type: "text" },
  labels: { name: "Labels", type: "list" },
  "customer.name": { name: "Customer's name", type: "text" },
  "customer.phone": { name: "Customer's phone", type: "text" },
  "customer.email": { name: "Customer's email", type: "text" },
  "deliver_address.address": { name: "Delivery address", type: "text" },
  "deliver_address.post_code": { name: "Delivery post code", type: "text" },
  "deliver_address.description": { name: "Note on the delivery address", type: "text" },
  "pickup_address.address": { name: "Pickup address", type: "text" },
  deadline_passed: { name: "Deadline passed", type: "boolean" },
  completion_codes: { name: "Completion codes", type: "list" },
  completion_comment: { name: "Completion comment", type: "text" },
  order_confirmation_photos: { name: "Photos", type: "list" },
  confirmation_signature: { name: "Signature", type: "object" },
  barcodes: { name: "Barcodes", type: "list" },
} as const satisfies Record<string, JobField>;

export interface JobField {
  name: string;
  type: FieldType;
  /** It is never in `new_values`, so no rule can look for its change. */
  neverChanges?: boolean;
}

/** Values of a job's `status`. */
export const statuses = {
  pending: "Pending",
  not_assigned: "Not Assigned",
  assigned: "Assigned",
  pickup: "Pick up",
  picked_up: "Picked up",
  in_progress: "In Progress",
  way_back: "Way back",
  delivered: "Completed",
  confirmed: "Confirmed",
  failed: "Failed",
} as const;

/** The made-up events in `samples/`, one file each, by what a manager would call them. */
export const samples = {
  "job-created": "Job created",
  "job-assigned": "Job assigned",
  "job-pickup": "Driver on the way to pick up",
  "job-picked-up": "Job picked up",
  "job-in-progress": "Driver on the way to the customer",
  "job-barcodes-scanned": "Barcodes scanned at the warehouse",
  "job-barcodes-scanned-upon-delivery": "Barcodes scanned upon delivery",
  "job-cargoes-changed": "Cargo changed",
  "job-deadline-changed": "Deadline changed",
  "job-completion-codes": "Completion codes given",
  "job-completed": "Completed by the driver",
  "job-confirmed": "Confirmed or rated by the customer",
  "job-confirmation-document": "Confirmation document attached",
  "job-failed": "Job failed",
  "job-deleted": "Job deleted",
  "checklist-start-of-day": "Start of day checklist passed",
  "checklist-end-of-day": "End of day checklist passed",
  "checklist-job": "Job checklist passed",
  "checklist-job-confirmation": "Job checklist confirmed",
  "concatenated-order-created": "Concatenated job created",
  "optimisation-completed": "Route optimisation completed",
  "optimisation-deleted": "Route optimisation deleted",
} as const;

export type SampleName = keyof typeof samples;
