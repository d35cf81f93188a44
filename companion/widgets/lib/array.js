/**
 * Reads an array as Python sent it: {dtype, shape, data}, `data` being a DataView in both hosts.
 * Returns {shape, data: Float32Array, at(...index) → the sub-array under these leading indices}.
 */
export function readArray({ dtype, shape, data }) {
  const values = dtype === "float16" ? fromHalf(data) : fromSingle(data);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const at = (...index) => {
    const start = index.reduce((sum, i, axis) => sum + i * strides[axis], 0);
    return values.subarray(start, start + strides[index.length - 1]);
  };
  return { shape, data: values, at };
}

const fromSingle = (view) =>
  Float32Array.from({ length: view.byteLength / 4 }, (_, i) => view.getFloat32(4 * i, true));

function fromHalf(view) {
  const values = new Float32Array(view.byteLength / 2);
  for (let i = 0; i < values.length; i++) {
    const bits = view.getUint16(2 * i, true);
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) values[i] = fraction ? NaN : sign * Infinity;
    else values[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}
