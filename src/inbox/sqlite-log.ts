import { closeSync, openSync, readSync } from "node:fs";

/** What is in SQLite's write-ahead log (sqlite.org/fileformat2.html#walformat), as far as SQLite does not tell it. */
export interface Log {
  /** How long a page of the database is, in bytes. */
  pageSize: number;
  /**
   * The highest seq that a commit tells of which SQLite drops, as something before it has wrong bytes; 0:
   * none. What a power cut leaves of commits that were under way does not count, and neither does what
   * was not synced then.
   */
  dropped: number;
}

const headerSize = 32;
const frameHeaderSize = 24;

/** The page of the table `inbox`: the first that the schema makes. */
const inboxPage = 2;

/**
 * Reads a log before SQLite does. That takes the frames up to the first with a wrong checksum, and is
 * silent about those after it.
 *
 * @returns `undefined` where there is none
 */
export function readLog(path: string): Log | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return undefined; // what keeps it from being read, SQLite says
  }
  try {
    const header = Buffer.alloc(headerSize);
    if (readSync(file, header, 0, headerSize, 0) < headerSize) return undefined;
    return read(file, header);
  } finally {
    closeSync(file);
  }
}

function read(file: number, header: Buffer): Log {
  const bigEndian = header.readUInt32BE(0) === 0x377f0683;
  const wanted = header.readUInt32BE(8);
  const pageSize = wanted >= 512 && wanted <= 65_536 && (wanted & (wanted - 1)) === 0 ? wanted : 4096;
  const frame = Buffer.alloc(frameHeaderSize + pageSize);
  const next = (at: number) => readSync(file, frame, 0, frame.length, at) === frame.length;

  /** The checksum that the last frame, or the header, has. It goes into that of the next. */
  let sum: Sum = [header.readUInt32BE(24), header.readUInt32BE(28)];
  let salts = header.subarray(16, 24);
  let isDropped = !isEqual(sumOf(header.subarray(0, 24), [0, 0], bigEndian), sum);
  let [dropped, committed, uncommitted] = [0, 0, 0];
  for (let at = headerSize; next(at); at += frame.length) {
    // Where the header is what has wrong bytes.
    if (at === headerSize && isDropped) salts = Buffer.from(frame.subarray(8, 16));
    const stored: Sum = [frame.readUInt32BE(16), frame.readUInt32BE(20)];
    const own = sumOf(
      frame.subarray(frameHeaderSize),
      sumOf(frame.subarray(0, 8), sum, bigEndian),
      bigEndian,
    );
    const isOfThis = salts.equals(frame.subarray(8, 16));
    const isValid = isOfThis && isEqual(own, stored);
    sum = stored;
    if (!isValid) {
      isDropped = true;
      [committed, uncommitted] = [0, 0];
      continue;
    }
    // A commit was synced when anything comes after it.
    if (isDropped) dropped = Math.max(dropped, committed);
    if (frame.readUInt32BE(0) === inboxPage) uncommitted = readLast(frame.subarray(frameHeaderSize));
    if (frame.readUInt32BE(4) === 0) continue;
    committed = Math.max(committed, uncommitted);
    uncommitted = 0;
  }
  return { pageSize, dropped };
}

type Sum = [number, number];

const isEqual = (a: Sum, b: Sum) => a[0] === b[0] && a[1] === b[1];

/** SQLite's checksum of bytes, going on from one. */
function sumOf(bytes: Buffer, [first, second]: Sum, bigEndian: boolean): Sum {
  for (let at = 0; at < bytes.length; at += 8) {
    const [a, b] = bigEndian
      ? [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
      : [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)];
    first = (first + a + second) >>> 0;
    second = (second + b + first) >>> 0;
  }
  return [first, second];
}

/** The column `last` in the page of the table `inbox`: the second of its only row (sqlite.org/fileformat2.html#record_format). */
function readLast(page: Buffer): number {
  let at = page.readUInt16BE(8);
  /** A number of SQLite's: seven bits a byte, and the eighth says whether more follow. */
  const next = (): number => {
    let value = 0;
    for (let more = true; more && at < page.length; at += 1) {
      more = page[at]! >= 0x80;
      value = 128 * value + (page[at]! & 0x7f);
    }
    return value;
  };
  next(); // how long the row is
  next(); // its number
  const header = at;
  const values = header + next();
  const [step, last] = [next(), next()];
  const sizes: Record<number, number> = { 0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 8: 0, 9: 0 };
  const [before, size] = [sizes[step], sizes[last]];
  if (page[0] !== 0x0d || before === undefined || size === undefined) return 0;
  if (last === 9) return 1; // a type that is its value
  const place = values + before;
  return size > 0 && place + size <= page.length ? page.readUIntBE(place, size) : 0;
}
