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

  interface Settings {
    getLocal(key: string): string | null;
    setLocal(key: string, value: string): void;
  }
}
