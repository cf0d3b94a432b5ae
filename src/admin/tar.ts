// Writes a tar archive (POSIX ustar) of a few small files in memory. Pure.

const block = 512;

/** One file of an archive. */
export interface TarFile {
  /** A relative path of at most 100 bytes of ASCII. */
  readonly name: string;
  readonly bytes: Buffer;
}

/** The archive; every file is its owner's to read only. */
export function tarOf(files: readonly TarFile[], modified: Date): Buffer {
  const parts = files.flatMap(({ name, bytes }) => [
    header(name, { size: bytes.length, modified }),
    bytes,
    Buffer.alloc((block - (bytes.length % block)) % block),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

function header(name: string, facts: { readonly size: number; readonly modified: Date }): Buffer {
  const bytes = Buffer.alloc(block);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  bytes.write(name, 0, 100, "latin1");
  bytes.write(octal(0o600, 7), 100, "latin1");
  bytes.write(octal(0, 7), 108, "latin1");
  bytes.write(octal(0, 7), 116, "latin1");
  bytes.write(octal(facts.size, 11), 124, "latin1");
  bytes.write(octal(Math.floor(facts.modified.getTime() / 1000), 11), 136, "latin1");
  // The sum is taken with blanks in its own place.
  bytes.write(" ".repeat(8), 148, "latin1");
  bytes.write("0", 156, "latin1");
  bytes.write("ustar\x0000", 257, "latin1");
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return bytes;
}
