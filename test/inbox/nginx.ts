import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port";
import { needs } from "./needs";

const configuration = (dir: string, port: number, http: string) => `
daemon off;
master_process off;
pid ${dir}/pid;
error_log ${dir}/error.log;
events { worker_connections 4096; }
http {
  access_log off;
  ${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((of) => `${of}_temp_path ${dir}/${of};`).join("\n  ")}
  ${http.replace("server {\n", `server {\n    listen 127.0.0.1:${port};\n`)}
}
`;

/** An nginx of its own, on a free port of 127.0.0.1. */
export class Nginx {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
    private readonly dir: string,
  ) {}

  /** @param http what it does: a `server` without the address that it listens on, and what that needs */
  static async start(http: string): Promise<Nginx> {
    needs("nginx");
    const dir = mkdtempSync(join(tmpdir(), "radaro-nginx-"));
    const port = await freePort();
    writeFileSync(join(dir, "nginx.conf"), configuration(dir, port, http));
    const nginx = spawn("nginx", ["-p", dir, "-c", "nginx.conf", "-e", "error.log"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const url = `http://127.0.0.1:${port}`;
    while (!(await fetch(url).then(Boolean, () => false)))
      if (nginx.exitCode !== null) throw new Error("nginx has ended");
    return new Nginx(url, nginx, dir);
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill();
    await ended;
    rmSync(this.dir, { recursive: true });
  }
}
