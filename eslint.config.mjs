import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "resources/"] },
  js.configs.recommended,
  {
    files: ["**/*.mjs", "**/*.cjs"],
    languageOptions: {
      globals: {
        Buffer: "readonly",
        fetch: "readonly",
        console: "readonly",
        performance: "readonly",
        module: "writable",
        process: "readonly",
        require: "readonly",
        clearTimeout: "readonly",
        setTimeout: "readonly",
        setImmediate: "readonly",
        URL: "readonly",
      },
    },
  },
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.recommendedTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // A type alias is what Node-RED's own message type accepts.
      "@typescript-eslint/consistent-type-definitions": "off",
      // An empty text means "none" in a node's properties.
      "@typescript-eslint/prefer-nullish-coalescing": ["error", { ignorePrimitives: { string: true } }],
      // The editor's and the runtime's APIs are callbacks on `this`.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  // src/ is Radaro without Node-RED, and without an HTTP framework; its rooms import src/event and no other.
  ...Object.entries({
    event: ["receiving", "routing", "inbox"],
    receiving: ["routing", "inbox"],
    routing: ["receiving", "inbox"],
    inbox: ["receiving", "routing"],
  }).map(([room, others]) => ({
    files: [`src/${room}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            ...["node-red*", "@node-red/*", "express", "body-parser", "**/nodes/**"],
            ...others.map((other) => `**/${other}/*`),
          ],
        },
      ],
    },
  })),
  {
    // No node type imports another's folder.
    files: ["nodes/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["../radaro-*", "**/../radaro-*/**"] }] },
  },
);
