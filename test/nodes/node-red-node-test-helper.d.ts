declare module "node-red-node-test-helper" {
  import type { Node, NodeAPI } from "node-red";

  interface Answer {
    status: number;
    body: unknown;
  }

  /** What is used here of a package that has no types. */
  interface Helper {
    init(runtimePath: string): void;
    settings(settings: object): void;
    startServer(): Promise<void>;
    stopServer(): Promise<void>;
    load(nodes: ((RED: NodeAPI) => void)[], flow: object[], credentials?: object): Promise<void>;
    setFlows(flow: object[], type?: "full" | "flows" | "nodes"): Promise<void>;
    unload(): Promise<void>;
    getNode(id: string): Node;
    request(): {
      get(path: string): Promise<Answer>;
      post(path: string): { send(body: object): Promise<Answer> };
    };
    log(): { args: { level: number; type?: string; id?: string; msg: unknown }[][] };
  }
  const helper: Helper;
  export default helper;
}
