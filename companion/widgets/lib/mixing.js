/** Mixing rates as `mixing_rates` of companion/text_to_text.py has them (a browser test compares): {task: share}. */
export function mixingRates(sizes, limit, temperature) {
  const limited = Object.entries(sizes).map(([name, size]) => [name, Math.min(size, limit)]);
  const total = limited.reduce((sum, [, size]) => sum + size, 0);
  const rates = limited.map(([name, size]) => [name, (size / total) ** (1 / temperature)]);
  const all = rates.reduce((sum, [, rate]) => sum + rate, 0);
  return Object.fromEntries(rates.map(([name, rate]) => [name, rate / all]));
}
