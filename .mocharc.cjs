const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { join } = require("node:path");

// The inbox needs SQLite, which Node.js has from 22.13 on. The tests that need it have "inbox" in their
// names, or in those that they are below.
const own = join(process.env.NODE_RED_DIR ?? "", "node_modules", "node", "bin", "node");
const node = process.env.NODE_RED_DIR && existsSync(own) ? own : process.execPath;
const hasInbox = spawnSync(node, ["--eval", "require('node:sqlite')"]).status === 0;
if (!hasInbox) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  console.log(`LEFT OUT, as this is Node.js ${version} and the inbox needs 22.13 or later: all its tests.`);
}

module.exports = {
  "node-option": ["import=tsx"],
  extension: ["ts"],
  timeout: 120_000,
  "forbid-only": true,
  "forbid-pending": true,
  ...(!hasInbox && { grep: "[Ii]nbox", invert: true }),
};
