import { Damages } from "../inbox/damage";
import { seed } from "../inbox/random";

/** test/inbox has more of them. */
const count = 25;

describe(`an inbox that is damaged (SEED=${seed})`, () => {
  const damages = new Damages(seed);
  before(() => damages.make());
  after(() => damages.remove());

  it(`has all its events, or says that some are missing, and goes on, ${count} times`, async () => {
    await damages.damage(count);
  });
});
