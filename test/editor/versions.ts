import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { installNodeRed, programIn, startNodeRed, type NodeRed } from "../../scripts/node-red";
import { install } from "../system/package";
import { openBrowser, type Browser } from "./browser";
import { Editor, type User } from "./editor";

/** Node-RED 5, and the Node.js that runs it: a version of each. */
export const nodeRed5: [nodeRed: string, node: string] = ["5", "24"];

/** The Node-REDs that the editor is tested in: the project's own, and the latest. */
const versions: [name: string, program?: [nodeRed: string, node: string]][] = [["4"], ["5", nodeRed5]];

/** Nothing pops up in front of what is tested, and nothing is asked of the outside. */
export const editorSettings = {
  editorTheme: { tours: false, palette: { catalogues: [] } },
};

/** Installs the package where the editor shows no tips: Node-RED 5 fails to, with an error in the console. */
export function prepareEditor(userDir: string): void {
  install(userDir);
  const editor = { view: { "view-show-tips": false } };
  writeFileSync(join(userDir, ".config.users.json"), JSON.stringify({ _: { editor } }));
}

/** What a test works with: the editor is a new one for each, and the flows are what they were. */
export interface Session {
  nodeRed: NodeRed;
  browser: Browser;
  editor: Editor;
}

interface Options {
  flows: object[];
  credentials?: Record<string, Record<string, string>>;
  /** More of settings.js. */
  settings?: Record<string, unknown>;
  /** Puts more into the user directory. */
  prepare?: (userDir: string) => void;
  /** Who uses the editor, where it asks for that. */
  user?: User;
  /** Where the editor is, with another `httpAdminRoot`. */
  at?: string;
}

/** Describes something in Node-RED 4 and in Node-RED 5, each with the package installed. */
export function inEachNodeRed(
  what: string,
  { flows, credentials, settings, prepare, user, at = "" }: Options,
  tests: (session: Session) => void,
): void {
  for (const [version, program] of versions) {
    describe(`${what} in Node-RED ${version}`, () => {
      const session = {} as Session;

      before(async function () {
        this.timeout(600_000); // it may have to be installed
        session.nodeRed = await startNodeRed({
          flows,
          ...(credentials && { credentials }),
          settings: { ...editorSettings, ...settings },
          prepare: (userDir) => {
            prepareEditor(userDir);
            prepare?.(userDir);
          },
          ...(program && { program: programIn(installNodeRed(...program)) }),
        });
        session.browser = await openBrowser();
      });
      after(async () => {
        await session.browser.close();
        await session.nodeRed.stop();
      });
      beforeEach(async () => {
        session.editor = await Editor.open(session.browser.context, session.nodeRed.url + at, user);
      });
      afterEach(() => session.editor.close());

      tests(session);
    });
  }
}
