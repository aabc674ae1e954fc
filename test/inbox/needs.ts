import { spawnSync } from "node:child_process";

/** Says how to get a program, where it is missing. */
export function needs(program: string): void {
  const { error } = spawnSync(program, ["-V"]);
  if (error) throw new Error(`${program} is needed: apt-get update && apt-get install -y ${program}`);
}
