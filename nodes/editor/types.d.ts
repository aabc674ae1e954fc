import type {} from "@node-red/editor-client";

// What the editor can do and its published types do not say.
declare module "@node-red/editor-client" {
  interface NodeCredential {
    /** Marks the input in the dialog. */
    validate?: (this: unknown, value: string) => boolean;
  }

  interface Comms {
    on(event: "connect", handler: () => void): void;
  }

  interface NodeDef {
    /** A key of the text that the palette shows of the category. */
    categoryDescription?: string;
  }

  interface Actions {
    add(name: string, handler: () => void, options: { label: string }): void;
  }

  interface Settings {
    getLocal(key: string): string | null;
    setLocal(key: string, value: string): void;
  }
}
