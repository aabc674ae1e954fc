/** @param share 0.5: the median */
export function percentile(values: Iterable<number>, share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The median, with the quartiles around it: half of all rounds lie between them. */
export function spread(values: number[], digits = 1): string {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => percentile(values, share).toFixed(digits));
  return `${middle} (${low} to ${high})`;
}
