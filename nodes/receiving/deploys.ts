import type { NodeAPI } from "node-red";
import { Endpoints } from "../../src/receiving/endpoints";
import { readPath } from "../../src/receiving/properties";
import type { Receiver } from "../../src/receiving/receive";

/** A node in the flows as they are deployed: anything may stand in its properties. */
interface FlowNode {
  id?: unknown;
  type?: unknown;
  /** Its tab or subflow. */
  z?: unknown;
  /** Whether it is disabled. */
  d?: unknown;
  /** Whether it is disabled, as a tab. */
  disabled?: unknown;
  path?: unknown;
}

/** What Node-RED tells as it stops its flows: those that come, where there are any. */
interface Stopping {
  config?: { flows?: FlowNode[] } | null;
}

/** What Node-RED tells of itself. */
interface RuntimeEvent {
  id?: string;
  payload?: { state?: string; deploy?: boolean } | null;
}

/** What Node-RED adds to a message that it sends; nothing where a node is not wired. */
type Sent = object & { _msgid?: string };

const hook = "onReceive.radaro-in";

/**
 * Hears of deploys. An exception in a listener would end the deploy, and each later one: neither may throw.
 *
 * @param told `stopping`: nodes are stopped from now on; `over`: the flows run, or are known not to come
 *   back for now, as where a node's type is missing; then nodes that were not stopped go on
 * @returns what ends it
 */
export function onDeploys(
  { events }: NodeAPI,
  told: { stopping: (stopping?: Stopping) => void; over: () => void },
): () => void {
  // A runtime that was stopped, or that cannot start, says so and nothing more.
  const onState = ({ id, payload }: RuntimeEvent = {}) => {
    if (id === "runtime-state" && payload && payload.state !== "start" && !payload.deploy) told.over();
  };
  events.on("flows:stopping", told.stopping);
  events.on("flows:started", told.over);
  events.on("runtime-event", onState);
  return () => {
    events.off("flows:stopping", told.stopping);
    events.off("flows:started", told.over);
    events.off("runtime-event", onState);
  };
}

/**
 * Endpoints that know of deploys. They listen to the runtime while there is a path, and while
 * Node-RED starts: then any path may come to be one.
 */
export class DeployedEndpoints extends Endpoints {
  /** Whether Node-RED is starting: its paths are not known yet. */
  starting: boolean;
  /** Ids of the messages that were sent in this turn of the event loop: Node-RED delivers them at its end. */
  readonly #onTheirWay = new Set<string>();
  /** How many times flows were stopped. */
  #stops = 0;

  readonly #stopping = (stopping?: Stopping) => {
    this.hold(findPaths(stopping?.config?.flows ?? []));
    this.#stops += 1;
    // The nodes that these messages would come to are stopped now. None of them gets one, also not
    // those that still listen while they close: all go to the nodes that come.
    if (this.#onTheirWay.size === 0 || this.RED.hooks.has(hook)) return;
    this.RED.hooks.add(hook, ({ msg }: { msg?: Sent }) =>
      msg?._msgid !== undefined && this.#onTheirWay.has(msg._msgid) ? false : undefined,
    );
    setImmediate(() => this.RED.hooks.remove(hook));
  };
  /** While it listens to the runtime. */
  #leave: (() => void) | undefined;

  constructor(private readonly RED: NodeAPI) {
    super();
    // Node-RED listens on its port before it has started its flows.
    this.starting = RED.server?.listening === false;
    if (this.starting) this.hold();
  }

  override hold(wanted?: Iterable<string>): void {
    super.hold(wanted);
    this.#leave ??= onDeploys(this.RED, { stopping: this.#stopping, over: () => this.release() });
  }

  override add(path: string, receiver: Receiver): void {
    // Nodes are made while flows start: those that this one is wired to may not be there yet.
    if (!this.deploying) this.hold();
    super.add(path, receiver);
  }

  override release(): void {
    super.release();
    this.starting = false;
    if (this.size > 0) return;
    this.#leave?.();
    this.#leave = undefined;
  }

  /**
   * Waits until Node-RED has given messages to the next nodes, which it does at the end of a turn of
   * its event loop.
   *
   * @param messages that were sent in this turn
   * @returns false where the flows were stopped before: no node has got any of them
   */
  delivered(messages: Sent[]): Promise<boolean> | true {
    // With this setting the next nodes have got them before a node's `send` returns.
    if ((this.RED.settings as { runtimeSyncDelivery?: boolean }).runtimeSyncDelivery) return true;
    const stops = this.#stops;
    const ids = messages.flatMap(({ _msgid }) => _msgid ?? []);
    for (const id of ids) this.#onTheirWay.add(id);
    return new Promise((resolve) =>
      setImmediate(() => {
        for (const id of ids) this.#onTheirWay.delete(id);
        resolve(stops === this.#stops);
      }),
    );
  }
}

/**
 * Finds the paths that there will be when the flows run.
 *
 * @returns as the user wrote them; `undefined` where the flows alone do not tell
 */
function findPaths(flows: (FlowNode | null)[]): string[] | undefined {
  const disabledTabs = new Set(flows.filter((node) => node?.disabled).map((node) => node?.id));
  const paths = flows
    .filter((node) => node?.type === "radaro in" && !node.d && !disabledTabs.has(node.z))
    .map((node) => readPath(node?.path));
  // An environment variable can have any value, another one in each instance of a subflow.
  if (paths.some(({ problem }) => problem === "path-variable")) return undefined;
  return paths.flatMap((read) => (read.problem === undefined ? read.path : []));
}
