const STEPS = { GB: [1000, ["B", "kB", "MB", "GB", "TB", "PB"]], GiB: [1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]] };

/** Bytes for reading: three digits, in multiples of 1000 (`unit` "GB") or of 1024 ("GiB"). */
export function bytesText(bytes, unit) {
  const [step, names] = STEPS[unit];
  let [value, i] = [bytes, 0];
  for (; value >= 999.5 && i < names.length - 1; i++) value /= step;
  return `${Number(value.toPrecision(3))} ${names[i]}`;
}

export const grouped = (x) => x.toLocaleString("en-GB");
