// An address and a port as they stand in a URL: an IPv6 address has brackets there, and none where sockets take it.

/** `host:port`, or `[address]:port`. */
export function authority({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
