import { Damages } from "./damage";
import { randomFrom, seed } from "./random";

const count = Number(process.env.DAMAGES ?? 500);

describe(`An inbox that is damaged ${count} times (SEED=${seed})`, function () {
  this.timeout(1_200_000);
  const damages = new Damages(randomFrom(seed));
  before(() => damages.make());
  after(() => damages.remove());

  it("has all its events, or says that some are missing, and goes on", async () => {
    const said = new Map<string, number>();
    for (let i = 0; i < count; i += 1) {
      const [, words = ""] = (await damages.damage()).split("; said: ");
      said.set(words, (said.get(words) ?? 0) + 1);
    }
    console.log(`      said: ${JSON.stringify(Object.fromEntries(said))}`);
  });
});
