import { Damages } from "../inbox/damage";
import { randomFrom, seed } from "../inbox/random";

/** test/inbox has more of them. */
const count = 25;

describe(`an inbox that is damaged (SEED=${seed})`, () => {
  const damages = new Damages(randomFrom(seed));
  before(() => damages.make());
  after(() => damages.remove());

  it(`has all its events, or says that some are missing, and goes on, ${count} times`, async () => {
    for (let i = 0; i < count; i += 1) await damages.damage();
  });
});
