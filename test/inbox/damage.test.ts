import { Damages } from "./damage";
import { seed } from "./random";

const count = 500;

describe(`An inbox that is damaged ${count} times (SEED=${seed})`, function () {
  this.timeout(1_200_000);
  const damages = new Damages(seed);
  before(() => damages.make());
  after(() => damages.remove());

  it("has all its events, or says that some are missing, and goes on", async () => {
    console.log(`      said: ${JSON.stringify(await damages.damage(count))}`);
  });
});
